/**
 * A moment in the reader's own time zone and locale. `at`: ms since 1970; absent: an empty line of the same height. `brief`: no seconds, and
 * the date instead if it is not today's. `dated`: date and time.
 * `full`: with the day of the week too.
 */
import { brief, exact, moment, whole } from "times";
import { defineComponent } from "vue";

export default defineComponent({
  template: `<time v-if="at" :datetime="machine" :title="whole">{{ text }}</time><span v-else aria-hidden="true">&nbsp;</span>`,
  props: { at: { type: Number, default: 0 }, brief: Boolean, dated: Boolean, full: Boolean },
  computed: {
    machine() {
      return new Date(this.at).toISOString();
    },
    whole() {
      return whole(this.at);
    },
    text() {
      if (this.full) return whole(this.at);
      if (this.dated) return moment(this.at);
      return this.brief ? brief(this.at) : exact(this.at);
    },
  },
});
