import RequestQueue from 'kafkajs/src/network/requestQueue/index.js';

const mended = new WeakSet<object>();

/**
 * Keeps the client from looking at its queue without end. After the first answer, version 2.2.4 looks every millisecond
 * for as long as a connection stands, by a timer in the past, of which Node 24 warns (TimeoutNegativeWarning). It need
 * look only where requests wait; then its own timer is right.
 */
export function mendRequestQueue(): void {
  const queue = RequestQueue.prototype;
  if (mended.has(queue)) return;
  mended.add(queue);
  const schedule = queue.scheduleCheckPendingRequests;
  queue.scheduleCheckPendingRequests = function (this: RequestQueue): void {
    if (this.pending.length > 0) schedule.call(this);
  };
}
