/** What assets/audio_player.js looks like. */
export const TEMPLATE = `
<div class="audio-player">
  <div class="lanes" :class="{ one: mono }">
    <div v-for="(s, k) in speakers" v-show="s.who === 'customer' || !mono" :key="s.who" class="lane" :class="[s.row, { muted: muted[s.who], speaks: speaking[s.who] }]">
      <div class="name">{{ mono ? words.oneLane : words[s.who] }}<small>{{ mono || !spread ? words.bothEars : words.ear[s.who] }}{{ speaking[s.who] ? ", " + words.speaking : "" }}</small><small class="level" aria-hidden="true">{{ level[s.who] }}</small></div>
      <canvas class="wave" :ref="s.who" aria-hidden="true" @pointermove="explainMark($event, k)"></canvas>
      <div class="vol">
        <mute-button :muted="muted[s.who]" :aria-label="words.mute[mono ? 'both' : s.who]" @click="toggle(s.who)"></mute-button>
        <input type="range" class="volume" min="0" max="1" step="0.05" :value="volume[s.who]" :aria-label="words.volume[mono ? 'both' : s.who]"
          @input="setGain(s.who, $event.target.valueAsNumber)" />
      </div>
    </div>
  </div>
  <div class="foot">
    <slot></slot>
    <span class="grow"></span>
    <slot name="end"></slot>
  </div>
  <div class="sound-line">
    <span class="player-state" data-testid="player-state" :data-state="shown">{{ text }}</span>
    <button v-if="state === 'blocked'" type="button" class="btn tap" @click="start">{{ words.tap }}</button>
    <button v-if="canFloat && !floating && state === 'playing'" type="button" class="btn" data-testid="float" @click="leave">{{ words.float }}</button>
    <button v-if="late" type="button" class="btn" data-testid="jump-to-live" @click="jump">{{ words.jump }}</button>
    <span v-if="problem" class="missed" role="alert" data-testid="listen-problem">{{ problem }}</span>
    <span v-if="note" class="missed" data-testid="missed">{{ note }}</span>
    <span class="sr-only" role="status">{{ announced }} {{ note }}</span>
    <p class="lane-key" aria-hidden="true">
      <span v-for="(meaning, mark) in words.key" :key="mark"><i :class="mark"></i>{{ meaning }}</span>
    </p>
  </div>
  <details class="player-details" @toggle="open">
    <summary>{{ words.about }}</summary>
    <dl>
      <div v-for="[term, words] in details" :key="term"><dt>{{ term }}</dt><dd>{{ words }}</dd></div>
    </dl>
    <sound-output v-if="opened" :words="words" :devices="devices" @device="player?.setDevice($event)" @auto-gain="player?.setAutoGain($event)"></sound-output>
    <label class="heard-as">
      <span>{{ words.hearAs }}<small>{{ words.hearAsMeans }}</small></span>
      <select @change="hearAs($event.target.value)">
        <option value="">{{ words.asTheCallSays }}</option>
        <option v-for="name in formats" :key="name" :value="name" :selected="name === chosen">{{ nameOf(name) }}</option>
      </select>
    </label>
    <label class="stay-live">
      <input type="checkbox" :checked="staysLive" @change="setStayLive($event.target.checked)" />
      <span>{{ words.stayLive }}<small>{{ words.stayLiveMeans }}</small></span>
    </label>
  </details>
</div>`;
