/**
 * The running calls as a grid of cards, trouble first. The server sends the cards as data (`initial`, then `put`, `drop`, `mark`). As long as
 * the pointer or the keyboard's focus is in the grid the cards keep their places, so that a press never meets another call than was seen.
 *
 * @typedef {object} Card
 * @property {string} id
 * @property {string} name
 * @property {number|null} since ms since 1970 at which it was answered
 * @property {number|null} at ms since 1970 at which it was placed
 * @property {string} state
 * @property {string} speaker who speaks now
 * @property {string} trouble
 * @property {string} alert the latest one
 * @property {boolean} needy it needs somebody
 * @property {number} rank 0: the worst
 * @property {string} last the newest words
 * @property {string} last_speaker
 * @property {[number, number, number][]} lanes turns of the last minute: channel, start and width in percent
 * @property {boolean} audible
 */
import { lasting } from "times";
import { defineComponent } from "vue";

const MANY = 12; // from here on the cards are small
const ZOOMS = [1.8, 1.6, 1.4, 1.25, 1.1, 1, 0.9, 0.8]; // of a wall; smaller can't be read from afar

export default defineComponent({
  template: `
    <section class="fleet" :class="{ many }" data-testid="fleet" :aria-label="words.fleet" @pointerenter="hold"
      @pointerleave="release" @focusin="hold" @focusout="left">
      <h2><span>{{ count }}</span><b v-if="troubled.length" class="pill needy">{{ need }}</b><small>{{ words.order }}</small></h2>
      <p v-if="!cards.length" class="nothing">{{ words.none }}</p>
      <ul class="fleet-grid">
        <li v-for="card in cards" :key="card.id" class="fleet-card" :class="{ needy: card.needy, heard: card.id === heard }"
          :data-call="card.id">
          <header>
            <button v-if="controls" type="button" class="fleet-name" @click="$emit('open', card.id)">{{ card.name }}</button>
            <b v-else class="fleet-name">{{ card.name }}</b>
            <span class="when">{{ card.since ? lasting((now - card.since) / 1000) : "" }}</span>
          </header>
          <svg class="fleet-lanes" viewBox="0 0 100 22" preserveAspectRatio="none" aria-hidden="true">
            <rect v-for="([channel, from, width], k) in card.lanes" :key="k" :class="channel ? 'assistant' : 'customer'" :x="from"
              :width="Math.max(width, 0.6)" :y="channel ? 12 : 1" height="9" rx="0.8" />
          </svg>
          <p class="fleet-last"><q v-if="card.last" :class="card.last_speaker">{{ card.last }}</q></p>
          <footer>
            <b v-if="card.trouble" class="pill needy">{{ card.trouble }}</b>
            <span v-else-if="!card.alert" class="pill" :class="card.speaker">{{ card.state }}</span>
            <b v-if="card.alert" class="pill alerted" :title="card.alert">{{ card.alert }}</b>
            <button v-if="controls && card.audible" type="button" class="btn small" :aria-pressed="String(card.id === heard)"
              :data-next="card.id === next ? '' : null" :aria-label="label(card)" :title="many ? label(card) : null" @click="press(card)">
              <span v-if="many" class="icon" v-html="icons[card.id === heard ? 'heard' : 'listen']"></span>
              <template v-else>{{ card.id === heard ? words.heard : words.listen }}</template>
            </button>
          </footer>
        </li>
      </ul>
    </section>`,
  props: {
    initial: { type: /** @type {import("vue").PropType<Card[]>} */ (Array), required: true },
    words: { type: Object, required: true },
    icons: { type: Object, required: true }, // small cards have no room for words on the button
    controls: Boolean,
    wall: Boolean, // to be read from afar
  },
  emits: ["open", "hear", "quiet"],

  data() {
    return {
      known: byId(this.initial),
      heard: /** @type {string|null} */ (null),
      now: Date.now(),
      held: /** @type {string[]|null} */ (null), // the order that stays while somebody is about to press
    };
  },

  setup() {
    return { clock: 0 };
  },

  computed: {
    /** @returns {Card[]} */
    cards() {
      const place = new Map(this.held?.map((id, k) => [id, k]));
      const last = place.size;
      return Object.values(this.known).sort(
        (a, b) => (place.get(a.id) ?? last) - (place.get(b.id) ?? last) || a.rank - b.rank || (a.at ?? 0) - (b.at ?? 0),
      );
    },
    /** @returns {boolean} */
    many() {
      return this.cards.length > MANY;
    },
    /** @returns {Card[]} */
    troubled() {
      return this.cards.filter((card) => card.needy);
    },
    /**
     * The call that is to be heard next: the one in trouble after the one that is heard.
     * @returns {string|undefined}
     */
    next() {
      const all = this.troubled.filter((card) => card.audible);
      return (all[all.findIndex((card) => card.id === this.heard) + 1] ?? all[0])?.id;
    },
    /** @returns {string} */
    count() {
      return plural(this.words.count, this.cards.length);
    },
    /** @returns {string} */
    need() {
      return plural(this.words.need, this.troubled.length);
    },
  },

  watch: {
    "cards.length"() {
      this.$nextTick(this.fit);
    },
  },

  mounted() {
    this.fit();
    addEventListener("resize", this.fit);
    this.clock = setInterval(() => {
      this.now = Date.now();
    }, 1000);
  },

  beforeUnmount() {
    clearInterval(this.clock);
    removeEventListener("resize", this.fit);
  },

  methods: {
    lasting,

    /** As large as all cards have room for: nobody scrolls a wall. */
    fit() {
      if (!this.wall) return;
      for (const zoom of ZOOMS) {
        this.$el.style.zoom = zoom;
        if (document.documentElement.scrollHeight <= innerHeight) return;
      }
    },

    /** @param {Card[]} cards */
    put(cards) {
      for (const card of cards) this.known[card.id] = card;
    },

    /** @param {Card[]} cards */
    replace(cards) {
      this.known = byId(cards);
    },

    /** @param {string[]} ids */
    drop(ids) {
      for (const id of ids) delete this.known[id];
    },

    /** @param {string|null} id */
    mark(id) {
      this.heard = id;
    },

    hold() {
      this.held ??= this.cards.map((card) => card.id);
    },

    release() {
      if (!this.$el.contains(document.activeElement)) this.held = null;
    },

    /** @param {FocusEvent} event */
    left(event) {
      if (!this.$el.contains(event.relatedTarget) && !this.$el.matches(":hover")) this.held = null;
    },

    /** @param {Card} card */
    press(card) {
      if (card.id === this.heard) return this.$emit("quiet", card.id);
      globalThis.LivePlayout?.unlock(); // browsers allow sound only within the click
      this.$emit("hear", card.id);
    },

    /** @param {Card} card */
    label(card) {
      return `${card.id === this.heard ? this.words.heard : this.words.listen}: ${card.name}`;
    },
  },
});

/**
 * @param {Record<string, string>} forms by CLDR category
 * @param {number} count
 */
function plural(forms, count) {
  const category = new Intl.PluralRules(document.documentElement.lang).select(count);
  return (forms[category] ?? forms.other).replace("{count}", String(count));
}

/**
 * @param {Card[]} cards
 * @returns {Record<string, Card>}
 */
function byId(cards) {
  return Object.fromEntries(cards.map((card) => [card.id, card]));
}
