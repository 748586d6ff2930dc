// What the tests of a file run against: a scripted upstream, a proxy in front of it, and the demo where it is wanted.

import { Proxy } from './proxy.mjs';
import { Upstream } from './upstream.mjs';

/** Starts all of it; what has been started ends again if the rest does not start. */
export async function start({ demo = false } = {}) {
  const running = {};
  try {
    running.upstream = await Upstream.start();
    running.served = await Proxy.serve(running.upstream.url);
    if (demo) running.demo = await Proxy.demo();
    return running;
  } catch (error) {
    await stop(running).catch(() => {});
    throw error;
  }
}

/** Ends all of it, each even if another ends badly, and then reports the first that did. */
export async function stop(running = {}) {
  const ends = await Promise.allSettled(Object.values(running).map(async (one) => one.stop()));
  const failed = ends.find((end) => end.status === 'rejected');
  if (failed) throw failed.reason;
}
