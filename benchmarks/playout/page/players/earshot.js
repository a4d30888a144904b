import { LivePlayout } from "/assets/live_playout.js";

export default async (url) => {
  const player = new LivePlayout({ url });
  await player.start();
  return { context: player.context, stats: () => player.stats() };
};
