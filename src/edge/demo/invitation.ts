import type { Stage } from './stage.ts';

/** How to send a request of one's own, and where it shows. */
export function invitation({ policy, scene, envoy }: Stage): string {
  const [office, lab] = policy.doors;
  const ca = `${scene.pki}/console-root.crt`;
  const url = 'https://us-east-1.console.aws.amazon.com/console/home';
  const { admin, public: open } = policy.server;
  return `
Everything stays up. Send a request of your own:

  curl -x http://127.0.0.1:${lab?.listen.port ?? 0} --cacert ${ca} ${url}

or as ${scene.person.name}, by a client certificate through the office door:

  curl -x https://127.0.0.1:${office?.listen.port ?? 0} --proxy-cacert ${ca} --proxy-cert ${scene.person.certificate} --proxy-key ${scene.person.key} --cacert ${ca} ${url}

It shows below within two seconds, and in another terminal with

  npx sekisho records --data ${scene.data} --follow
  npx sekisho fleet --admin http://127.0.0.1:${admin.port}

A browser finds its way by http://127.0.0.1:${open.port}/proxy.pac; Envoy's own administration is http://${envoy.adminAddress}.
The policy is ${scene.policyFile}: change it and watch. Stop with Ctrl-C.
`;
}
