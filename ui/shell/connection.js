/** Shows that the page has lost its connection to Earshot. A short break is not shown: nobody would notice it otherwise. */
import { defineComponent } from "vue";

const GRACE_MS = 1500; // socket.io tries again after 0.5 to 1.5 s
const SUSPECT_MS = 5000; // a connection takes milliseconds
const LONG_MS = 20_000; // then offers to load the page again

export default defineComponent({
  template: `
    <div class="connection" role="status">
      <div v-if="lost || proxy" class="connection-box" data-testid="offline">
        <span class="icon"><svg width="20" height="20" viewBox="0 0 24 24" aria-hidden="true"><g fill="none" stroke="currentColor"
          stroke-width="2" stroke-linecap="round" stroke-linejoin="round"><path d="M5 12.5a10 10 0 0 1 4-2.4M19 12.5a10 10 0 0 0-5.5-2.7M2 9a15
          15 0 0 1 4.6-2.9M22 9a15 15 0 0 0-11-3.9M8.6 16a5 5 0 0 1 6.8 0M12 19.5v0M3 3l18 18"/></g></svg></span>
        <span><b>{{ proxy ? words.proxy : words.lost }}</b>{{ proxy ? words.proxy_detail : words.lost_detail }}</span>
        <button v-if="long" type="button" class="btn small" @click="reload">{{ words.reload }}</button>
      </div>
    </div>`,
  props: { words: Object, alive: String },

  setup() {
    return { socket: /** @type {PageSocket|undefined} */ (undefined), timers: /** @type {number[]} */ ([]), suspicion: 0 };
  },

  data() {
    return { lost: false, long: false, proxy: false };
  },

  mounted() {
    setTimeout(() => window.socket && this.follow(window.socket)); // NiceGUI opens it once the whole page is mounted
  },

  beforeUnmount() {
    this.calm();
    clearTimeout(this.suspicion);
    this.socket?.off("connect", this.calm);
    this.socket?.off("disconnect", this.worry);
  },

  methods: {
    /** @param {PageSocket} socket */
    follow(socket) {
      this.socket = socket;
      socket.on("connect", this.calm);
      socket.on("disconnect", this.worry);
      if (!socket.connected) this.worry();
      this.suspicion = setTimeout(this.suspect, SUSPECT_MS);
    },

    worry() {
      this.calm();
      this.timers = [setTimeout(() => (this.lost = true), GRACE_MS), setTimeout(() => (this.long = true), LONG_MS)];
    },

    /** Where requests arrive and no WebSocket opens, something between drops it. socket.io may get through without one, sound does not. */
    async suspect() {
      const opened = () => this.socket?.connected && this.socket.io?.engine?.transport?.name === "websocket";
      const answer = opened() ? undefined : await fetch(this.alive ?? "").catch(() => undefined);
      this.proxy = answer?.ok === true && !opened();
      if (this.proxy) this.suspicion = setTimeout(this.suspect, SUSPECT_MS);
    },

    calm() {
      for (const timer of this.timers) clearTimeout(timer);
      this.lost = this.long = false;
    },

    reload() {
      location.reload();
    },
  },
});
