/** A ring buffer of fixed depth in a worklet: it starts with 100 ms, and again after each underrun. */
const RING = `registerProcessor("ring", class extends AudioWorkletProcessor {
  constructor() {
    super();
    this.ring = new Float32Array(2 ** 19);
    this.written = this.read = 0;
    this.waits = true;
    this.port.onmessage = ({ data }) => {
      const samples = new Int16Array(data);
      for (let k = 0; k < samples.length; k++) this.ring[this.written++ & (2 ** 19 - 1)] = samples[k] / 32768;
    };
  }
  process(_, [[left, right]]) {
    if (this.waits && this.written - this.read >= 2 * 0.1 * sampleRate) this.waits = false;
    for (let k = 0; k < left.length && !this.waits; k++) {
      if (this.read >= this.written) { this.waits = true; break; }
      left[k] = this.ring[this.read++ & (2 ** 19 - 1)];
      right[k] = this.ring[this.read++ & (2 ** 19 - 1)];
    }
    return true;
  }
});`;

/** @param {string} url */
export default async (url) => {
  const context = new AudioContext({ latencyHint: 0, sampleRate: 16000 });
  await context.resume();
  await context.audioWorklet.addModule(URL.createObjectURL(new Blob([RING], { type: "text/javascript" })));
  const node = new AudioWorkletNode(context, "ring", { numberOfInputs: 0, outputChannelCount: [2] });
  node.connect(context.destination);
  const socket = new WebSocket(url);
  socket.binaryType = "arraybuffer";
  socket.onmessage = ({ data }) => typeof data !== "string" && node.port.postMessage(data, [data]);
  return { context };
};
