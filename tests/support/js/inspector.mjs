// SPDX-License-Identifier: Apache-2.0
// inspector ERA URL
//
// The Inspector's command line: one process for each question. ERA is legacy, modern or auto. Its --strict is a second opinion of the tools' schemas.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import { main, part, say } from './sdk.mjs';

const run = promisify(execFile);

await main(async ([era, url]) => {
    const manifest = part('inspector').resolve('@modelcontextprotocol/inspector/package.json');
    const program = join(dirname(manifest), 'clients/launcher/build/index.js');
    const home = mkdtempSync(join(tmpdir(), 'durable-mcp-inspector-'));  // it writes into its user's home
    const ask = async (method, ...rest) => {
        const command = [program, '--cli', url, '--transport', 'http', '--protocol-era', era, '--format', 'json', '--method', method, ...rest];
        let { stdout, code = 0, stderr } = await run(process.execPath, command, { env: { ...process.env, HOME: home }, timeout: 30_000 }).catch(error => error);
        say(`${method} ${rest.join(' ')}: ${code}`);
        return { code, stderr, result: stdout ? JSON.parse(stdout).result : undefined };
    };
    try {
        const listed = await ask('tools/list', '--strict');
        assert.equal(listed.code, 0, listed.stderr);
        const names = listed.result.tools.map(each => each.name);
        assert.ok(names.includes('test_simple_text'));
        if (era === 'auto') {
            return { tools: names.length };
        }
        const plain = /^test_(simple_text|image_content|audio_content|embedded_resource|multiple_content_types|tool_with_(logging|progress))$/;
        for (const name of names.filter(each => plain.test(each))) {
            const called = await ask('tools/call', '--tool-name', name);
            assert.equal(called.code, 0, called.stderr);
            assert.ok(called.result.content.length > 0);
        }
        const failed = await ask('tools/call', '--tool-name', 'test_error_handling');
        assert.notEqual(failed.code, 0, 'the Inspector ends with an error where a tool does');

        const { result: { prompts } } = await ask('prompts/list');
        assert.ok(prompts.length > 0);
        const prompt = await ask('prompts/get', '--prompt-name', 'test_prompt_with_arguments', '--prompt-args', 'arg1=one', 'arg2=two');
        assert.equal(prompt.result.messages[0].content.text, "Prompt with arguments: arg1='one', arg2='two'");

        const { result: { resources } } = await ask('resources/list');
        assert.ok(resources.length > 0);
        for (const { uri } of resources) {
            const read = await ask('resources/read', '--uri', uri);
            assert.equal(read.result.contents[0].uri, uri, read.stderr);
        }
        const { result: { resourceTemplates } } = await ask('resources/templates/list');
        assert.ok(resourceTemplates.length > 0);
        return { tools: names.length, prompts: prompts.length, resources: resources.length };
    } finally {
        rmSync(home, { recursive: true, force: true });
    }
});
