/**
 * Alerts on top of the page, as notifications of the browser, and by a sound. Whether the browser may notify is asked when the first alert
 * wants it, by a button, since browsers allow to ask only in answer to a press.
 *
 * @typedef {object} Alert
 * @property {string} key of its call and rule
 * @property {string} call
 * @property {string} who
 * @property {string} masked the number for a room to see
 * @property {string} what
 * @property {boolean} notify
 * @property {boolean} sound
 */
import { isPresenting } from "tab_title";
import { defineComponent } from "vue";

const MOST = 3; // at once; the newest
const LASTS_MS = 20_000;
const QUIET_MS = 2000; // after a sound, in all tabs
const NOTES_HZ = [880, 1175];
const NOTE_S = 0.16;
const LOUDNESS = 0.12;

export default defineComponent({
  template: `
    <div class="raised" role="status" :aria-label="words.title" data-testid="raised">
      <div v-for="alert in alerts" :key="alert.key" class="raised-alert">
        <p><b>{{ alert.what }}</b> <span>{{ alert.who }}</span></p>
        <button type="button" class="btn small" @click="open(alert)">{{ words.open }}</button>
        <button v-if="alert.notify && asks" type="button" class="btn small" @click="allow">{{ words.allow }}</button>
        <button type="button" class="btn small" @click="drop(alert.key)">{{ words.dismiss }}</button>
      </div>
    </div>`,
  props: { words: { type: Object, required: true } },
  emits: ["open"],

  setup() {
    return { timers: /** @type {Set<number>} */ (new Set()) };
  },

  data() {
    return { alerts: /** @type {Alert[]} */ ([]), asks: permission() === "default" };
  },

  beforeUnmount() {
    for (const timer of this.timers) clearTimeout(timer);
  },

  methods: {
    /** @param {Alert} alert */
    raise(alert) {
      this.alerts = [...this.alerts.filter(({ key }) => key !== alert.key), alert].slice(-MOST);
      const timer = setTimeout(() => {
        this.timers.delete(timer);
        this.drop(alert.key);
      }, LASTS_MS);
      this.timers.add(timer);
      this.asks = permission() === "default";
      if (alert.notify) this.notify(alert);
      if (alert.sound) ring();
    },

    /** @param {string} gone */
    drop(gone) {
      this.alerts = this.alerts.filter(({ key }) => key !== gone);
    },

    /** @param {Alert} alert */
    open(alert) {
      this.drop(alert.key);
      this.$emit("open", alert.call);
    },

    async allow() {
      await Notification.requestPermission();
      this.asks = permission() === "default";
      for (const alert of this.alerts) if (alert.notify) this.notify(alert);
    },

    /**
     * All tabs notify. The tag makes it one notification.
     * @param {Alert} alert
     */
    notify(alert) {
      if (permission() !== "granted") return;
      try {
        const shown = new Notification(alert.what, { body: isPresenting() ? alert.masked : alert.who, tag: alert.key });
        shown.onclick = () => {
          focus();
          shown.close();
          this.open(alert);
        };
      } catch {
        // Android has notifications only for service workers; the alert is on the page
      }
    },
  },
});

function permission() {
  return "Notification" in globalThis ? Notification.permission : "denied";
}

/** Two notes, in one tab of this browser. */
async function ring() {
  if (!navigator.locks) return play(); // not a secure context
  await navigator.locks.request("earshot-alert", { ifAvailable: true }, async (lock) => {
    if (!lock) return;
    play();
    await new Promise((done) => setTimeout(done, QUIET_MS));
  });
}

function play() {
  const context = new AudioContext();
  const loudness = context.createGain();
  loudness.gain.value = LOUDNESS;
  loudness.connect(context.destination);
  NOTES_HZ.forEach((hertz, at) => {
    const note = context.createOscillator();
    note.frequency.value = hertz;
    note.connect(loudness);
    note.start(context.currentTime + at * NOTE_S);
    note.stop(context.currentTime + (at + 1) * NOTE_S);
    if (at === NOTES_HZ.length - 1) note.onended = () => context.close();
  });
  // In a page in which nobody has pressed anything yet it would wait, and sound much later.
  setTimeout(() => context.state === "suspended" && context.close(), QUIET_MS);
}
