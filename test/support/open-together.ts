/** Opens what has several parts: `opened` takes the end of each; when a later part fails, those before it are closed again, last first. */
export async function openTogether<T>(
  open: (opened: (() => Promise<unknown>)[], close: () => Promise<void>) => Promise<T>,
): Promise<T> {
  const opened: (() => Promise<unknown>)[] = [];
  const close = async (): Promise<void> => {
    for (const end of opened.splice(0).reverse()) await end();
  };
  try {
    return await open(opened, close);
  } catch (caught) {
    await close();
    throw caught;
  }
}
