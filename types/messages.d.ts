/** What page, Worker and AudioWorklet of the live player post to each other. */
import type { Speaker } from "../assets/playout/mixer.js";
import type { Mode, Playout } from "../assets/playout/playout.js";
import type { Override, StartFrame } from "../assets/playout/stream_format.js";

/** From the page to the Worker. `url`: connect to it; null: there is none now, ask again later. */
export type ToWorker = { audio?: MessagePort; url?: string | null; close?: true };

/**
 * From the Worker to the page. `socket`: "open"; "flowing" (the first frame came); "lost" (with `code` and `retryIn` seconds); "due" (time to
 * connect: send a url); "refused" (the url is not valid any more); "ended" (with `code`); "failed" (with `reason`). `event`: a text frame that
 * is JSON. `badText`: how many were not.
 */
export type FromWorker = {
  socket?: "open" | "flowing" | "lost" | "due" | "refused" | "ended" | "failed";
  code?: number;
  retryIn?: number;
  reason?: string;
  event?: unknown;
  badText?: number;
};

/** From the Worker to the worklet. `at`: when it arrived, in seconds of any steady clock. */
export type Sound = { start?: StartFrame; pcm?: ArrayBuffer; at?: number; end?: true };

/** From the page to the worklet. `format`: the operator's. `live`: skip to the newest sound. `stats`: send them. */
export type ToWorklet = {
  audio?: MessagePort;
  gain?: [speaker: Speaker, gain: number];
  spread?: boolean;
  format?: Override | null;
  staysLive?: boolean;
  live?: true;
  stats?: true;
  stop?: true;
};

/** From the worklet to the page: levels 25 times a second, and statistics when the mode changes or when asked. */
export type FromWorklet = {
  /** customer's peak and RMS, assistant's peak and RMS */
  levels?: Float32Array;
  gap?: boolean;
  catchesUp?: boolean;
  mode?: Mode;
  stats?: ReturnType<Playout["stats"]>;
};
