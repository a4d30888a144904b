/** What page, Worker and AudioWorklet of the live player post to each other. */
import type { Speaker } from "../assets/playout/mixer.js";
import type { Mode, Playout } from "../assets/playout/playout.js";
import type { Override, StartFrame } from "../assets/playout/stream_format.js";

/**
 * From the page to the Worker. `heartbeat`: the server has one. `url`: connect to it; null: there is none now, ask again later. `look`: the page is looked at again. `over`:
 * the call has ended. `deaf`: drop the sound, or no longer.
 */
export type ToWorker = {
  audio?: MessagePort;
  heartbeat?: boolean;
  url?: string | null;
  look?: true;
  over?: true;
  deaf?: boolean;
  close?: true;
};

/**
 * From the Worker to the page. `socket`: "open"; "flowing" (the first frame came, or after "stalled" another); "stalled" (silent for too long:
 * send a url for a socket beside it); "lost" (with `code` and `retryIn` seconds); "due" (time to connect: send a url); "refused" (the url is
 * not valid any more); "ended" (with `code`); "failed" (with `reason`). `event`: a text frame that is JSON. `badText`: how many were not.
 * `slept`: seconds for which the computer slept until now. `tick`: several times a second, by a timer that no browser slows down in a hidden tab.
 */
export type FromWorker = {
  socket?: "open" | "flowing" | "stalled" | "lost" | "due" | "refused" | "ended" | "failed";
  code?: number;
  retryIn?: number;
  reason?: string;
  event?: unknown;
  badText?: number;
  slept?: number;
  tick?: true;
};

/** From the Worker to the worklet. `at`: when it arrived, in seconds of any steady clock. `dropped`: bytes that will not come. */
export type Sound = { start?: StartFrame; pcm?: ArrayBuffer; at?: number; dropped?: number; end?: true };

/** From the page to the worklet. `format`: the operator's. `live`: skip to the newest sound. `stats`: send them. */
export type ToWorklet = {
  audio?: MessagePort;
  gain?: [speaker: Speaker, gain: number];
  autoGain?: boolean;
  spread?: boolean;
  format?: Override | null;
  staysLive?: boolean;
  live?: true;
  stats?: true;
  stop?: true;
};

/**
 * From the worklet to the page: levels 25 times a second, and statistics when the mode changes or when asked, of the moment `timestamp` of the context's clock. `missed`: seconds that could
 * not be heard, since the connection was lost, the computer slept, or the sound device stood still.
 */
export type FromWorklet = {
  /** customer's peak and RMS, assistant's peak and RMS */
  levels?: Float32Array;
  gap?: boolean;
  catchesUp?: boolean;
  missed?: number;
  mode?: Mode;
  stats?: ReturnType<Playout["stats"]> & { timestamp: number };
};
