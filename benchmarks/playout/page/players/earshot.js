import { LivePlayout } from "/assets/live_playout.js";

/** @param {string} url */
export default async (url) => {
  const player = new LivePlayout({ url });
  await player.start();
  return { context: player.context, stats: () => player.stats() };
};
