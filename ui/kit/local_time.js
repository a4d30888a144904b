/**
 * A moment in the reader's own time zone and way of writing. `at`: ms since 1970; absent: an empty place of the same height.
 * `brief`: no seconds, and the date instead where it is not today's.
 */
import { brief, exact, whole } from "times";

export default {
  template: `<time v-if="at" :datetime="machine" :title="whole">{{ text }}</time><span v-else aria-hidden="true">&nbsp;</span>`,
  props: { at: Number, brief: Boolean },
  computed: {
    machine() {
      return new Date(this.at).toISOString();
    },
    whole() {
      return whole(this.at);
    },
    text() {
      return this.brief ? brief(this.at) : exact(this.at);
    },
  },
};
