/**
 * A tour of the page in half a minute: each step names a visible part of the page, and outlines it. The event `earshot-tour` on the
 * document opens it; Escape or "Skip" closes it. Its button also sets `data-tour` on the body, which opens the tour once it is loaded if the
 * press came before that.
 *
 * `steps`: a selector and the text of each.
 */
import { defineComponent } from "vue";

export default defineComponent({
  template: `
    <dialog ref="dialog" class="dialog tour" data-testid="tour" aria-live="polite" @close="mark(null)">
      <p>{{ shown[at]?.text }}</p>
      <div class="answers">
        <small>{{ at + 1 }} / {{ shown.length }}</small>
        <button type="button" class="btn" data-testid="tour-skip" @click="$refs.dialog.close()">{{ last ? words.done : words.skip }}</button>
        <button v-if="!last" ref="next" type="button" class="btn primary" data-testid="tour-next" @click="next">{{ words.next }}</button>
      </div>
    </dialog>`,
  props: {
    steps: { type: /** @type {import("vue").PropType<{on: string, text: string}[]>} */ (Array), required: true },
    words: { type: Object, required: true },
  },

  data() {
    return { shown: /** @type {{on: string, text: string}[]} */ ([]), at: 0 };
  },

  computed: {
    last() {
      return this.at >= this.shown.length - 1;
    },
  },

  mounted() {
    document.addEventListener("earshot-tour", this.open);
    if (document.body.dataset.tour) this.open();
  },

  beforeUnmount() {
    document.removeEventListener("earshot-tour", this.open);
    this.mark(null);
  },

  methods: {
    open() {
      delete document.body.dataset.tour;
      this.shown = this.steps.filter(({ on }) => document.querySelector(on)?.checkVisibility());
      if (!this.shown.length) return;
      this.at = 0;
      /** @type {HTMLDialogElement} */ (this.$refs.dialog).showModal();
      this.show();
    },

    next() {
      this.at++;
      this.show();
    },

    show() {
      this.mark(document.querySelector(this.shown[this.at].on));
    },

    /** @param {Element|null} part */
    mark(part) {
      document.querySelector("[data-toured]")?.removeAttribute("data-toured");
      part?.setAttribute("data-toured", "");
      part?.scrollIntoView({ block: "center" });
    },
  },
});
