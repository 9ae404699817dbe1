/** A path below the root of a server, whose URL may have a path of its own, with or without a slash at its end; its query is left out. */
export function below(root: URL, path: string): URL {
  const url = new URL(root.origin);
  url.pathname = root.pathname.replace(/\/+$/, '') + path;
  return url;
}
