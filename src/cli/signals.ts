/** Waits for SIGTERM or SIGINT; every SIGHUP before that calls `onHangup`. */
export async function untilSignal(options: { readonly onHangup?: () => Promise<unknown> } = {}): Promise<void> {
  const hangup = (): void => void options.onHangup?.();
  process.on('SIGHUP', hangup);
  await new Promise<void>((resolve) => {
    process.once('SIGTERM', resolve);
    process.once('SIGINT', resolve);
  });
  process.off('SIGHUP', hangup);
}
