/** Says that the page has lost Earshot, for as long as it has. A short break is kept quiet: nobody would notice it otherwise. */
const QUIET = 1500; // ms
const LONG = 20000; // ms after which loading the page anew is offered

export default {
  template: `
    <div class="connection" role="status">
      <div v-if="lost" class="connection-box" data-testid="offline">
        <span class="icon"><svg width="20" height="20" viewBox="0 0 24 24" aria-hidden="true"><g fill="none" stroke="currentColor"
          stroke-width="2" stroke-linecap="round" stroke-linejoin="round"><path d="M5 12.5a10 10 0 0 1 4-2.4M19 12.5a10 10 0 0 0-5.5-2.7M2 9a15
          15 0 0 1 4.6-2.9M22 9a15 15 0 0 0-11-3.9M8.6 16a5 5 0 0 1 6.8 0M12 19.5v0M3 3l18 18"/></g></svg></span>
        <span><b>{{ words.lost }}</b>{{ words.lost_detail }}</span>
        <button v-if="long" type="button" class="btn small" @click="anew">{{ words.reload }}</button>
      </div>
    </div>`,
  props: { words: Object },

  data() {
    return { lost: false, long: false };
  },

  mounted() {
    this.timers = [];
    setTimeout(() => this.follow(window.socket)); // which the page opens once all of it is there
  },

  beforeUnmount() {
    this.calm();
    this.socket?.off("connect", this.calm);
    this.socket?.off("disconnect", this.worry);
  },

  methods: {
    follow(socket) {
      this.socket = socket;
      socket.on("connect", this.calm);
      socket.on("disconnect", this.worry);
      if (!socket.connected) this.worry();
    },

    worry() {
      this.calm();
      this.timers = [setTimeout(() => (this.lost = true), QUIET), setTimeout(() => (this.long = true), LONG)];
    },

    calm() {
      this.timers.forEach(clearTimeout);
      this.lost = this.long = false;
    },

    anew() {
      location.reload();
    },
  },
};
