// Who may import whom. The two tables are test/gates/imports.json, which ARCHITECTURE.md shows and a test compares.
const { folders, modules } = require('./test/gates/imports.json');

const escape = (text) => text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');

/** A regular expression for everything inside a folder of src, or one file of it. */
const inside = (names) => `^src/(${names.map((name) => escape(name) + (name.endsWith('.ts') ? '$' : '/')).join('|')})`;

const folderRules = Object.entries(folders).map(([folder, allowed]) => ({
  name: `folder:${folder}`,
  comment: `src/${folder} may import ${allowed.length === 0 ? 'no other folder of src' : allowed.join(', ')}`,
  severity: 'error',
  from: { path: inside([folder]) },
  to: { path: '^src/', pathNot: inside([folder, ...allowed]) },
}));

// A module is known by the name in the import or by where it was found: a package's file, or a core module with its parts
// (`fs`, `fs/promises`).
const moduleRules = Object.entries(modules).map(([module, allowed]) => ({
  name: `module:${module}`,
  comment: `only ${allowed.map((folder) => `src/${folder}`).join(', ')} may import ${module}`,
  severity: 'error',
  from: { path: '^src/', pathNot: inside(allowed) },
  to: {
    path: module.startsWith('node:')
      ? `^(node:)?${escape(module.slice('node:'.length))}(/|$)`
      : `(^|node_modules/)${escape(module)}(/|$)`,
  },
}));

module.exports = {
  forbidden: [
    ...folderRules,
    ...moduleRules,
    {
      name: 'folder:unknown',
      comment: 'a new folder of src needs a row in test/gates/imports.json and in ARCHITECTURE.md',
      severity: 'error',
      from: { path: '^src/', pathNot: inside(Object.keys(folders)) },
      to: {},
    },
    {
      name: 'nobody-imports-main',
      comment: 'src/main.ts starts the program; a test runs it as a process',
      severity: 'error',
      from: {},
      to: { path: '^src/main\\.ts$' },
    },
    {
      name: 'src-knows-no-test',
      comment: 'what ships does not need what checks it',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(test|bench)/' },
    },
    {
      name: 'no-cycle',
      comment: 'modules in a circle cannot be read one after the other',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'not-declared',
      comment: 'what is imported stands in package.json, and src needs no devDependency',
      severity: 'error',
      from: { path: '^src/' },
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown', 'npm-dev'] },
    },
    {
      name: 'not-found',
      comment: 'an import that leads nowhere',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(bench/peers|dist|coverage)/' },
    // A type crosses a seam as much as a value does.
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'require', 'default', 'types'],
      extensions: ['.ts', '.mjs', '.cjs', '.js', '.json', '.d.ts'],
    },
  },
};
