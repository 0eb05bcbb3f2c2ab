// A stage that counts the words of an entry.

import { getEntry } from 'tollgate:plugin/input@0.1.0';
import { write } from 'tollgate:plugin/log@0.1.0';
import { writeText } from 'tollgate:plugin/artifacts@0.1.0';

export const stageApi = {
  run() {
    const entry = getEntry();
    const words = entry.body.split(/\s+/).filter((word) => word !== '').length;
    write('info', `${entry.key} has ${words} words`);
    const artifact = writeText('count.md', 'text/markdown', `${words} words\n`);
    const data = JSON.stringify({ words });
    return { tag: 'done', val: { summary: `${words} words`, data, artifacts: [artifact], effects: [] } };
  },
};
