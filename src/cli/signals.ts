/**
 * Waits for SIGTERM or SIGINT; every SIGHUP before that calls `onHangup`. It listens from the call on, before it is awaited. Further ones do nothing: npm hands a Ctrl-C on to whom the terminal has
 * told already, and a second one must not break off the end that the first began.
 */
export async function untilSignal(options: { readonly onHangup?: () => Promise<unknown> } = {}): Promise<void> {
  const hangup = (): void => void options.onHangup?.();
  process.on('SIGHUP', hangup);
  await new Promise<void>((resolve) => {
    process.on('SIGTERM', resolve);
    process.on('SIGINT', resolve);
  });
  process.off('SIGHUP', hangup);
}
