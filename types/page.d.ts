/** What pages have beside the DOM's own types. */
import type { LivePlayout as Player } from "../assets/live_playout.js";

declare global {
  interface Window {
    /** NiceGUI's socket.io client, once the page is loaded. */
    socket?: PageSocket;
  }

  interface PageSocket {
    connected: boolean;
    io?: { engine?: { transport?: { name: string } } };
    on(event: "connect" | "disconnect", handler: () => void): void;
    off(event: "connect" | "disconnect", handler: () => void): void;
  }

  var LivePlayout: typeof Player | undefined;

  /** Safari's. */
  interface Navigator {
    audioSession?: { type: string };
  }

  /** Chromium's. */
  interface DocumentPictureInPicture {
    requestWindow(size: { width: number; height: number }): Promise<Window>;
  }
  var documentPictureInPicture: DocumentPictureInPicture | undefined;

  /** Firefox's. */
  interface MediaDevices {
    selectAudioOutput(options?: { deviceId?: string }): Promise<MediaDeviceInfo>;
  }

  /** Chromium's. */
  interface AudioContext {
    setSinkId(id: string): Promise<void>;
    readonly playbackStats?: { readonly underrunEvents: number };
  }

  /** Of pages that record what a player plays: tests/browser/plain_page and benchmarks/playout/page. */
  interface Window {
    contexts: BaseAudioContext[];
    heard(): { left: string; right: string; pieces: number[][]; rate: number | undefined };
    run(what: { player: string; busy: [number, number] | null }): Promise<object>;
    ready: boolean;
  }
}
