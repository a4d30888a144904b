/**
 * A moment in the reader's own time zone and way of writing. `at`: ms since 1970; absent: an empty place of the same height.
 * `brief`: no seconds, and the date instead where it is not today's.
 */
const EXACT = { timeStyle: "medium" };
const BRIEF = { timeStyle: "short" };
const DATE = { day: "numeric", month: "short" };

export default {
  template: `<time v-if="at" :datetime="moment.toISOString()" :title="whole">{{ text }}</time><span v-else aria-hidden="true">&nbsp;</span>`,
  props: { at: Number, brief: Boolean },
  computed: {
    moment() {
      return new Date(this.at);
    },
    whole() {
      return this.moment.toLocaleString(undefined, { dateStyle: "full", timeStyle: "medium" });
    },
    text() {
      const today = this.moment.toDateString() === new Date().toDateString();
      const style = this.brief ? (today ? BRIEF : DATE) : EXACT;
      return new Intl.DateTimeFormat(undefined, style).format(this.moment);
    },
  },
};
