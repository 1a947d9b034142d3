// SPDX-License-Identifier: Apache-2.0
//
// What HTTP costs on this machine with nothing behind it: a bare Beast server on one thread, callbacks, keep-alive. `floor` answers every POST
// with a fixed body; `floor --json` parses the body with nlohmann and builds the answer of add(a, b) with it.

#include <cstdio>
#include <memory>
#include <string>
#include <string_view>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <nlohmann/json.hpp>

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;

class Session : public std::enable_shared_from_this<Session> {
public:
    Session(tcp::socket socket, bool json) : stream_(std::move(socket)), json_(json) { stream_.socket().set_option(tcp::no_delay(true)); }
    void read() {
        request_ = {};
        http::async_read(stream_, buffer_, request_, [self = shared_from_this()](const beast::error_code& error, std::size_t) {
            if (!error) {
                self->answer();
            }
        });
    }

private:
    void answer() {
        response_ = {};
        response_.version(11);
        response_.result(http::status::ok);
        response_.set(http::field::content_type, "application/json");
        response_.body() = R"({"id":1,"jsonrpc":"2.0","result":{"content":[{"text":"3","type":"text"}]}})";
        if (json_) {
            const auto request = nlohmann::json::parse(request_.body());
            const auto& arguments = request["params"]["arguments"];
            const long sum = arguments["a"].get<long>() + arguments["b"].get<long>();
            response_.body() = nlohmann::json{
                {"jsonrpc", "2.0"},
                {"id", request["id"]},
                {"result", {{"content", nlohmann::json::array({{{"type", "text"}, {"text", std::to_string(sum)}}})}}}}
                                   .dump();
        }
        response_.prepare_payload();
        http::async_write(stream_, response_, [self = shared_from_this()](const beast::error_code& error, std::size_t) {
            if (!error) {
                self->read();
            }
        });
    }

    beast::tcp_stream stream_;
    beast::flat_buffer buffer_;
    http::request<http::string_body> request_;
    http::response<http::string_body> response_;
    bool json_;
};

void accept(tcp::acceptor& acceptor, bool json) {
    acceptor.async_accept([&acceptor, json](const beast::error_code& error, tcp::socket socket) {
        if (!error) {
            std::make_shared<Session>(std::move(socket), json)->read();
        }
        accept(acceptor, json);
    });
}

}  // namespace

int main(int argc, char** argv) {
    asio::io_context context(1);
    tcp::acceptor acceptor(context, {asio::ip::address_v4::loopback(), 0});
    accept(acceptor, argc > 1 && std::string_view(argv[1]) == "--json");
    std::printf("listening on http://127.0.0.1:%d/mcp\n", acceptor.local_endpoint().port());
    std::fflush(stdout);
    context.run();
}
