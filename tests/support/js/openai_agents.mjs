// SPDX-License-Identifier: Apache-2.0
// openai_agents URL
//
// The MCP client of OpenAI's Agents SDK, as an agent has it, without a model: it finds out which revision the server speaks, lists the tools, calls
// each one, and reads the resources.
import assert from 'node:assert/strict';
import { main, part, say, text_of } from './sdk.mjs';
import { arguments_for, should_fail } from './specimen.mjs';

/** What asks the user something: this client has no way to answer. */
const asks = name => /elicit|sampling|input_required|capability|confirm_delete|multi_input|tool_with_task/.test(name);

await main(async ([url]) => {
    const { MCPServerStreamableHttp } = part('openai_agents')('@openai/agents');
    const server = new MCPServerStreamableHttp({ url, name: 'durable-mcp-tests' });
    await server.connect();
    assert.equal(server.sessionId, undefined, 'it prefers 2026-07-28, where there are no sessions');
    const tools = await server.listTools();
    say(`tools: ${tools.map(each => each.name).join(', ')}`);
    assert.ok(tools.some(each => each.name === 'test_simple_text'));
    let called = 0;
    for (const tool of tools.filter(each => !asks(each.name))) {
        let result;
        try {
            result = await server.callToolResult(tool.name, arguments_for(tool));
        } catch (error) {
            result = { isError: true, content: [{ type: 'text', text: error.message }] };
        }
        say(`${tool.name}: ${result.isError ? 'error' : 'ok'} ${text_of(result)}`);
        assert.equal(!!result.isError, should_fail(tool), `${tool.name}: ${text_of(result)}`);
        ++called;
    }
    const { resources } = await server.listResources();
    for (const { uri } of resources) {
        const { contents } = await server.readResource(uri);
        assert.equal(contents[0].uri, uri);
    }
    const { resourceTemplates } = await server.listResourceTemplates();
    assert.ok(resources.length > 0 && resourceTemplates.length > 0);
    await server.close();
    return { called, resources: resources.length };
});
