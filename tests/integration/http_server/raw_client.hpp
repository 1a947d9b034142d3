// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace durable_mcp::http_test {

struct Answer {
    unsigned status = 0;  ///< 0: the connection ended, or nothing came in ten seconds
    std::string head;
    std::string body;
};

/// A client that sends exactly the bytes it is told to, over a blocking socket.
class RawClient {
public:
    explicit RawClient(std::uint16_t port, int receive_buffer = 0);
    ~RawClient();
    RawClient(const RawClient&) = delete;
    RawClient& operator=(const RawClient&) = delete;

    /// False when the server has closed.
    bool send(std::string_view bytes);
    /// Reads one response whose length is stated (or one without body).
    Answer read_answer(bool head_only = false);
    /// Reads until `marker` has come, and returns everything up to its end; what came if the connection ends first.
    std::string read_until(std::string_view marker);
    /// Waits until the server closes; everything that came before is thrown away.
    bool is_closed_by_server();
    /// Says that nothing more will be sent.
    void shut_down_sending();
    /// Closes with a reset.
    void reset();
    void close();

private:
    bool receive();

    int socket_ = -1;
    std::string received_;
};

/// `POST /echo` with that body and those fields (each with its CRLF).
std::string post(std::string_view body, std::string_view fields = "", std::string_view path = "/echo");

}  // namespace durable_mcp::http_test
