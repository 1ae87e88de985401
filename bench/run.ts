/** `npm run bench -- [intake | tail] …`: one measurement; what follows its name is for it. */
const measurements = { intake: () => import('./intake.ts'), tail: () => import('./tail.ts') };

const [, , name = 'intake'] = process.argv;
// Each of them reads its own arguments from the third on.
if (name in measurements) process.argv.splice(2, 1);
await (name === 'tail' ? measurements.tail : measurements.intake)();
