/** Notes when each frame of the call arrives in this browser, in ms since 1970. */
self.onmessage = ({ data: url }) => {
  /** @type {number[]} */
  const arrivals = [];
  let begun = 0;
  const socket = new WebSocket(url);
  socket.binaryType = "arraybuffer";
  socket.onmessage = ({ data }) => {
    if (typeof data === "string") begun = JSON.parse(data).begun;
    else arrivals.push(performance.timeOrigin + performance.now());
  };
  socket.onclose = () => postMessage({ begun, arrivals });
};
