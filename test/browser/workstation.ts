import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { BrowserContext } from 'playwright-core';
import { openBrowser, type BrowserOptions } from '../support/browser.ts';
import type { House } from '../support/house.ts';

/** A browser of a workstation where the company’s CA was imported. */
export async function browserOf(t: TestContext, house: House, options: BrowserOptions): Promise<BrowserContext> {
  return openBrowser(t, { trusted: join(house.pki, 'console-root.crt'), ...options });
}

/** taro.yamada with a client certificate, who may come through the office door. */
export function person(house: House): NonNullable<BrowserOptions['person']> {
  const file = (ending: string) => join(house.dir, 'people', `taro.yamada.${ending}`);
  return { certificate: file('crt'), key: file('key'), for: doorAt(house, 'https', 3129) };
}

/** Where people enter, as a browser is told. */
export function doorAt(house: House, scheme: 'http' | 'https', port: number): string {
  return `${scheme}://${house.address}:${port}`;
}

export function publicAddress(house: House): string {
  return `http://${house.address}:18081`;
}
