// SPDX-License-Identifier: Apache-2.0
// call_everything SDK URL
//
// Lists all that the conformance server offers and uses every piece of it: calls the tools, gets the prompts, reads the resources, completes an
// argument. The SDK checks every answer against its own schemas, and structured results against those of the tools.
import assert from 'node:assert/strict';
import { connect, main, say, text_of } from './sdk.mjs';
import { answers, arguments_for, should_fail, text } from './specimen.mjs';

async function every(list, field) {
    const found = [];
    let cursor;
    do {
        const page = await list(cursor === undefined ? undefined : { cursor });
        found.push(...page[field]);
        cursor = page.nextCursor;
    } while (cursor !== undefined);
    assert.ok(found.length > 0, `there are no ${field}`);
    say(`${field}: ${found.map(each => each.uri ?? each.uriTemplate ?? each.name).join(', ')}`);
    return found;
}

/** The result, or an error as if it were one. */
async function outcome(promise) {
    try {
        return await promise;
    } catch (error) {
        return { isError: true, content: [{ type: 'text', text: `${error.code}: ${error.message}` }] };
    }
}

await main(async ([which, url]) => {
    const { client, transport, call, in_session } = await connect(which, url, answers);
    const offers = client.getServerCapabilities();
    if (in_session) {
        await client.ping();
        await client.setLoggingLevel('debug');
    }

    const progress = [];
    for (const tool of await every(cursor => client.listTools(cursor), 'tools')) {
        assert.equal(tool.inputSchema.type, 'object', `${tool.name} has an object for arguments`);
        const result = await outcome(call(tool.name, arguments_for(tool), report => progress.push([tool.name, report.progress])));
        say(`${tool.name}: ${result.isError ? 'error' : 'ok'} ${text_of(result)}`);
        assert.equal(!!result.isError, should_fail(tool), `${tool.name} ${result.isError ? 'failed' : 'did not fail'}: ${text_of(result)}`);
        assert.ok(result.content.length > 0, `${tool.name} says something`);
    }
    assert.deepEqual(progress.filter(([name]) => name === 'test_tool_with_progress').map(([, value]) => value), [0, 50, 100]);

    const prompts = await every(cursor => client.listPrompts(cursor), 'prompts');
    for (const { name, arguments: wanted = [] } of prompts) {
        const filled = Object.fromEntries(wanted.map(argument => [argument.name, text(argument.name)]));
        const { messages } = await client.getPrompt({ name, arguments: filled });
        assert.ok(messages.length > 0, `the prompt ${name} says something`);
    }

    const uris = (await every(cursor => client.listResources(cursor), 'resources')).map(each => each.uri);
    const templates = await every(cursor => client.listResourceTemplates(cursor), 'resourceTemplates');
    for (const uri of [...uris, ...templates.map(each => each.uriTemplate.replace(/{[^}]*}/g, 'text'))]) {
        const { contents } = await client.readResource({ uri });
        assert.equal(contents[0].uri, uri);
        assert.ok((contents[0].text ?? contents[0].blob).length > 0, `${uri} is not empty`);
    }
    await assert.rejects(client.readResource({ uri: 'test://nowhere' }), error => [-32002, -32602].includes(error.code));

    const with_argument = prompts.find(each => each.arguments?.length > 0);
    if (offers.completions) {
        const { completion } = await client.complete({
            ref: { type: 'ref/prompt', name: with_argument.name },
            argument: { name: with_argument.arguments[0].name, value: '' }
        });
        assert.ok(Array.isArray(completion.values));
    }
    if (in_session && offers.resources.subscribe) {
        await client.subscribeResource({ uri: uris[0] });
        await client.unsubscribeResource({ uri: uris[0] });
    }
    if (in_session) {
        await transport.terminateSession();
    }
    await client.close();
    return { prompts: prompts.length, resources: uris.length, templates: templates.length };
});
