/** `npm run bench -- [intake | tail | endurance | xds] …`: one measurement; what follows its name is for it. */
const measurements = {
  intake: () => import('./intake.ts'),
  tail: () => import('./tail.ts'),
  endurance: () => import('./endurance.ts'),
  xds: () => import('./xds.ts'),
};

const [, , name = 'intake'] = process.argv;
// Each of them reads its own arguments from the third on.
if (name in measurements) process.argv.splice(2, 1);
await (name in measurements ? measurements[name as keyof typeof measurements] : measurements.intake)();
