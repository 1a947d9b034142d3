// SPDX-License-Identifier: Apache-2.0
// says: a plain struct has 32 members at most
#include <durable_mcp/server.hpp>
#include <durable_mcp/typed.hpp>

struct Wide {
    int m00;
    int m01;
    int m02;
    int m03;
    int m04;
    int m05;
    int m06;
    int m07;
    int m08;
    int m09;
    int m10;
    int m11;
    int m12;
    int m13;
    int m14;
    int m15;
    int m16;
    int m17;
    int m18;
    int m19;
    int m20;
    int m21;
    int m22;
    int m23;
    int m24;
    int m25;
    int m26;
    int m27;
    int m28;
    int m29;
    int m30;
    int m31;
    int m32;
};

void offer(durable_mcp::DurableMCP& server) {
    server.tool("t", "", [](Wide wide) { return wide.m00; });
}
