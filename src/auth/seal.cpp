// SPDX-License-Identifier: Apache-2.0
#include "auth/seal.hpp"

#include <fmt/core.h>
#include <openssl/evp.h>

#include <algorithm>
#include <charconv>
#include <memory>
#include <optional>
#include <span>
#include <utility>

#include "auth/base64url.hpp"
#include "base/assert.hpp"

namespace durable_mcp::auth {
namespace {

using base::Failure;
using base::FailureCode;

constexpr std::size_t nonce_bytes = 12;
constexpr std::size_t tag_bytes = 16;
constexpr std::string_view version = "v1.";

using Cipher = std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)>;

const unsigned char* bytes_of(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* bytes_of(std::string& text) {
    return reinterpret_cast<unsigned char*>(text.data());
}

std::string random_bytes(std::size_t count, base::Random& random) {
    std::string bytes(count, '\0');
    random.fill(std::as_writable_bytes(std::span(bytes)));
    return bytes;
}

std::string header_of(std::uint64_t key) {
    return fmt::format("{}{}.", version, key);
}

struct Parts {
    std::uint64_t key = 0;
    std::string header;
    std::string sealed;  // nonce, ciphertext, tag
};

std::optional<Parts> take_apart(std::string_view text) {
    constexpr std::size_t longest = 32 + (largest_plain_bytes + nonce_bytes + tag_bytes + 2) / 3 * 4;
    if (text.size() > longest || text.substr(0, version.size()) != version) {
        return std::nullopt;
    }
    const auto end = text.find('.', version.size());
    if (end == std::string_view::npos) {
        return std::nullopt;
    }
    Parts parts;
    const auto read = std::from_chars(text.data() + version.size(), text.data() + end, parts.key);
    if (read.ec != std::errc() || read.ptr != text.data() + end) {
        return std::nullopt;
    }
    parts.header = header_of(parts.key);
    auto sealed = from_base64url(text.substr(end + 1));
    if (parts.header != text.substr(0, end + 1) || !sealed || sealed->size() < nonce_bytes + tag_bytes) {
        return std::nullopt;
    }
    parts.sealed = *std::move(sealed);
    return parts;
}

std::optional<std::string> decrypt(const Key& key, const Parts& parts, std::string_view associated_data) {
    const std::string_view sealed = parts.sealed;
    const std::string_view cipher_text = sealed.substr(nonce_bytes, sealed.size() - nonce_bytes - tag_bytes);
    std::string tag(sealed.substr(sealed.size() - tag_bytes));  // OpenSSL wants it writable
    std::string plain(cipher_text.size(), '\0');
    const Cipher cipher(EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free);
    int length = 0;
    const bool opened =
        cipher != nullptr &&
        EVP_DecryptInit_ex2(cipher.get(), EVP_aes_256_gcm(), bytes_of(std::string_view(key.bytes)), bytes_of(sealed), nullptr) == 1 &&
        EVP_DecryptUpdate(cipher.get(), nullptr, &length, bytes_of(std::string_view(parts.header)),
                          static_cast<int>(parts.header.size())) == 1 &&
        EVP_DecryptUpdate(cipher.get(), nullptr, &length, bytes_of(associated_data), static_cast<int>(associated_data.size())) == 1 &&
        EVP_DecryptUpdate(cipher.get(), bytes_of(plain), &length, bytes_of(cipher_text), static_cast<int>(cipher_text.size())) == 1 &&
        EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_AEAD_SET_TAG, static_cast<int>(tag_bytes), tag.data()) == 1 &&
        EVP_DecryptFinal_ex(cipher.get(), bytes_of(plain) + length, &length) == 1;  // compares the tag, in constant time
    return opened ? std::optional(std::move(plain)) : std::nullopt;
}

}  // namespace

Key fresh_key(std::uint64_t id, std::int64_t created_ms, base::Random& random) {
    return {id, created_ms, random_bytes(key_bytes, random)};
}

base::Result<KeyRing> KeyRing::from(std::vector<Key> keys) {
    std::sort(keys.begin(), keys.end(), [](const Key& a, const Key& b) { return a.id < b.id; });
    for (std::size_t i = 0; i < keys.size(); ++i) {
        if (keys[i].bytes.size() != key_bytes) {
            return Failure{
                FailureCode::malformed,
                fmt::format("The key {} that seals states has {} bytes instead of {}: it was not made by this library, or a newer "
                            "version made it. Start the newer program, or restore a backup.",
                            keys[i].id, keys[i].bytes.size(), key_bytes)};
        }
        if (i > 0 && keys[i].id == keys[i - 1].id) {
            return Failure{FailureCode::malformed, fmt::format("There are two keys {} that seal states. Restore a backup.", keys[i].id)};
        }
    }
    return KeyRing(std::move(keys));
}

bool KeyRing::rotation_due(std::int64_t now_ms, std::chrono::milliseconds period) const {
    return keys_.empty() || now_ms - keys_.back().created_ms >= period.count();
}

std::vector<std::uint64_t> KeyRing::outlived(std::int64_t now_ms, std::chrono::milliseconds lifetime) const {
    std::vector<std::uint64_t> ids;
    for (std::size_t i = 1; i < keys_.size(); ++i) {
        if (now_ms - keys_[i].created_ms >= lifetime.count()) {  // since then the one before has sealed nothing
            ids.push_back(keys_[i - 1].id);
        }
    }
    return ids;
}

std::string KeyRing::seal(std::string_view plain, std::string_view associated_data, base::Random& random) const {
    DURABLE_MCP_ASSERT(!keys_.empty());
    DURABLE_MCP_ASSERT(plain.size() <= largest_plain_bytes && associated_data.size() <= largest_plain_bytes);
    const Key& key = keys_.back();
    const std::string header = header_of(key.id);
    std::string sealed = random_bytes(nonce_bytes, random);
    sealed.resize(nonce_bytes + plain.size() + tag_bytes);
    unsigned char* const nonce = bytes_of(sealed);
    unsigned char* const cipher_text = nonce + nonce_bytes;
    const Cipher cipher(EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free);
    int length = 0;
    const bool done =
        cipher != nullptr &&
        EVP_EncryptInit_ex2(cipher.get(), EVP_aes_256_gcm(), bytes_of(std::string_view(key.bytes)), nonce, nullptr) == 1 &&
        EVP_EncryptUpdate(cipher.get(), nullptr, &length, bytes_of(std::string_view(header)), static_cast<int>(header.size())) == 1 &&
        EVP_EncryptUpdate(cipher.get(), nullptr, &length, bytes_of(associated_data), static_cast<int>(associated_data.size())) == 1 &&
        EVP_EncryptUpdate(cipher.get(), cipher_text, &length, bytes_of(plain), static_cast<int>(plain.size())) == 1 &&
        EVP_EncryptFinal_ex(cipher.get(), cipher_text + length, &length) == 1 &&
        EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_AEAD_GET_TAG, static_cast<int>(tag_bytes), cipher_text + plain.size()) == 1;
    DURABLE_MCP_ASSERT(done);  // OpenSSL refuses only without memory, or without its own default provider
    return header + to_base64url(sealed);
}

base::Result<std::string> KeyRing::open(std::string_view text, std::string_view associated_data) const {
    if (associated_data.size() <= largest_plain_bytes) {
        if (const auto parts = take_apart(text)) {
            const auto key = std::find_if(keys_.begin(), keys_.end(), [&](const Key& one) { return one.id == parts->key; });
            if (key != keys_.end()) {
                if (auto plain = decrypt(*key, *parts, associated_data)) {
                    return *std::move(plain);
                }
            }
        }
    }
    return Failure{
        FailureCode::malformed,
        "The state was not given out by this server for this request, or was changed on the way, or is too old to be read. Start "
        "again without it."};
}

}  // namespace durable_mcp::auth
