/** For how long a long work may hold the event loop before everything else in the process gets its turn, in milliseconds. People's requests wait that long. */
export const stretchMs = 4;
