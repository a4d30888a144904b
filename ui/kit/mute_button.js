/** A loudspeaker button, crossed out while `muted`. The parent gives it its `aria-label` and its `@click`. */
import { defineComponent } from "vue";

export const MuteButton = defineComponent({
  template: `
    <button type="button" class="mute" :aria-pressed="String(muted)">
      <svg width="18" height="18" viewBox="0 0 24 24" fill="currentColor" aria-hidden="true">
        <path d="M4 9v6h4l5 4V5L8 9z" />
        <path v-if="muted" d="M16 9l5 6M21 9l-5 6" stroke="currentColor" stroke-width="2" stroke-linecap="round" />
        <path v-else d="M16 9a4 4 0 0 1 0 6" stroke="currentColor" stroke-width="2" stroke-linecap="round" fill="none" />
      </svg>
    </button>`,
  props: { muted: Boolean },
});
