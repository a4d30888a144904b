/** Asks for another time of a scheduled call, in the reader's time zone. Emits it as RFC 3339 in UTC. */
import { defineComponent } from "vue";

/** @param {Date} time */
function local(time) {
  return new Date(time.getTime() - time.getTimezoneOffset() * 60000).toISOString().slice(0, 16);
}

export default defineComponent({
  template: `
    <details class="more" @toggle="opened">
      <summary>{{ words.move_call }}</summary>
      <form class="move-fields" @submit.prevent="send">
        <label><span class="label">{{ words.move_begins }}</span>
          <input type="datetime-local" required :min="soonest" v-model="earliest" data-testid="move-earliest"></label>
        <label><span class="label">{{ words.move_latest }}</span>
          <input type="datetime-local" :min="earliest || soonest" v-model="latest" data-testid="move-latest"></label>
        <button type="submit" class="btn" :disabled="busy" data-testid="move-call">{{ busy ? words.moving : words.move_yes }}</button>
      </form>
    </details>`,
  props: { at: Number, by: Number, busy: Boolean, words: Object },

  data() {
    return { earliest: "", latest: "", soonest: "" };
  },

  methods: {
    opened() {
      this.soonest = local(new Date());
      this.earliest = this.at ? local(new Date(this.at)) : "";
      this.latest = this.by ? local(new Date(this.by)) : "";
    },

    send() {
      const latest = this.latest ? new Date(this.latest).toISOString() : null;
      this.$emit("move", { earliest: new Date(this.earliest).toISOString(), latest });
    },
  },
});
