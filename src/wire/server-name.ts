/**
 * The DNS name in the certificate of every Sekisho server, under which nodes and readers know it, whatever address they reach it at. Who issues
 * the certificate and who asks for it take the name from here: a client is shipped without the code of the authorities.
 */
export const serverName = 'sekisho.internal';
