/** Waits until the page has handled what else there is to do: long work is split with it. */
export const yieldToPage = (): Promise<void> =>
  new Promise((wake) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      wake();
    };
    port2.postMessage(null);
  });
