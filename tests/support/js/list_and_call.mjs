// SPDX-License-Identifier: Apache-2.0
// Lists what the server offers, calls one tool, ends the session.
import assert from 'node:assert/strict';
import { main, open_session, say, text_of } from './sdk.mjs';

async function every(list, field) {
    const found = [];
    let cursor;
    do {
        const page = await list(cursor === undefined ? undefined : { cursor });
        found.push(...page[field]);
        cursor = page.nextCursor;
    } while (cursor !== undefined);
    return found;
}

/** URL TOOL [ARGUMENTS [EXPECTED TEXT]] */
export function list_and_call(generation) {
    return main(async ([url, tool, args = '{}', expected]) => {
        const { client, transport, call } = await open_session(generation, url);
        const offers = client.getServerCapabilities();
        const tools = await every(cursor => client.listTools(cursor), 'tools');
        say(`tools: ${tools.map(each => each.name).join(', ')}`);
        assert.ok(tools.some(each => each.name === tool), `the list has no tool ${tool}`);
        for (const each of tools) {
            assert.equal(each.inputSchema.type, 'object', `${each.name} has an object for arguments`);
        }
        if (offers.prompts) {
            say(`prompts: ${(await every(cursor => client.listPrompts(cursor), 'prompts')).map(each => each.name).join(', ')}`);
        }
        if (offers.resources) {
            say(`resources: ${(await every(cursor => client.listResources(cursor), 'resources')).map(each => each.uri).join(', ')}`);
            const templates = await every(cursor => client.listResourceTemplates(cursor), 'resourceTemplates');
            say(`resource templates: ${templates.map(each => each.uriTemplate).join(', ')}`);
        }
        await client.ping();
        const result = await call(tool, JSON.parse(args), progress => say(`progress ${progress.progress}`));
        assert.ok(!result.isError, `the tool failed: ${text_of(result)}`);
        if (expected !== undefined) {
            assert.equal(text_of(result), expected);
        }
        await transport.terminateSession();
        await client.close();
        return result;
    });
}
