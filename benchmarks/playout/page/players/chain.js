/** What most pages do: an AudioBufferSourceNode per frame, each started where the last one ends, or now if that is past. */
/** @param {string} url */
export default async (url) => {
  const context = new AudioContext({ latencyHint: 0 });
  await context.resume();
  const out = new GainNode(context);
  out.connect(context.destination);
  let next = 0;
  const socket = new WebSocket(url);
  socket.binaryType = "arraybuffer";
  socket.onmessage = ({ data }) => {
    if (typeof data === "string") return;
    const samples = new Int16Array(data);
    const buffer = new AudioBuffer({ length: samples.length / 2, numberOfChannels: 2, sampleRate: 16000 });
    for (let channel = 0; channel < 2; channel++) {
      buffer.copyToChannel(
        Float32Array.from({ length: buffer.length }, (_, k) => samples[2 * k + channel] / 32768),
        channel,
      );
    }
    const source = new AudioBufferSourceNode(context, { buffer });
    source.connect(out);
    next = Math.max(next, context.currentTime);
    source.start(next);
    next += buffer.duration;
  };
  return { context };
};
