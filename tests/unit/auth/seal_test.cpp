// SPDX-License-Identifier: Apache-2.0
#include "auth/seal.hpp"

#include <gtest/gtest.h>

#include <set>

#include "auth/base64url.hpp"

namespace durable_mcp::auth {
namespace {

using namespace std::string_literals;
using std::chrono::milliseconds;

/// The same bytes every time.
class CountingRandom final : public base::Random {
public:
    explicit CountingRandom(unsigned char next = 0) : next_(next) {}
    void fill(std::span<std::byte> bytes) override {
        for (std::byte& byte : bytes) {
            byte = static_cast<std::byte>(next_++);
        }
    }

private:
    unsigned char next_;
};

KeyRing ring_of(std::vector<Key> keys) {
    auto ring = KeyRing::from(std::move(keys));
    EXPECT_TRUE(ring.has_value()) << (ring ? "" : ring.error().sentence);
    return *std::move(ring);
}

class seal : public ::testing::Test {
protected:
    /// Expects `text` not to open, and nothing to be said but the one sentence.
    static void expect_shut(const KeyRing& ring, const std::string& text, const std::string& associated_data) {
        static const std::string sentence = ring_of({}).open("", "").error().sentence;
        const auto opened = ring.open(text, associated_data);
        ASSERT_FALSE(opened) << "opened: " << text;
        EXPECT_EQ(opened.error().code, base::FailureCode::malformed);
        EXPECT_EQ(opened.error().sentence, sentence);
    }

    base::Random& random_ = base::system_random();
    const Key key_ = fresh_key(7, 1'000, random_);
    const KeyRing ring_ = ring_of({key_});
};

TEST_F(seal, what_was_sealed_opens_for_the_same_purpose) {
    for (const std::string& plain : {""s, "x"s, "\0\xff state"s, std::string(100'000, 'p'), std::string(largest_plain_bytes, 'p')}) {
        for (const std::string& purpose : {""s, "alice\0tools/call"s, std::string(100'000, 'a')}) {
            const auto opened = ring_.open(ring_.seal(plain, purpose, random_), purpose);
            ASSERT_TRUE(opened) << plain.size() << " " << purpose.size();
            EXPECT_EQ(*opened, plain);
        }
    }
}

TEST_F(seal, the_text_is_safe_in_a_url_names_its_key_and_hides_what_is_inside) {
    const std::string text = ring_.seal("the secret inside", "purpose", random_);
    EXPECT_EQ(text.substr(0, 5), "v1.7.");
    EXPECT_EQ(text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."), std::string::npos);
    const auto bytes = from_base64url(text.substr(5));
    ASSERT_TRUE(bytes);
    EXPECT_EQ(bytes->size(), 12u + 17u + 16u);
    EXPECT_EQ(bytes->find("secret"), std::string::npos);
}

TEST_F(seal, it_is_aes_256_gcm_as_others_compute_it) {
    CountingRandom random;
    const KeyRing ring = ring_of({{1, 0, std::string("0123456789abcdef0123456789abcdef")}});
    // Python: AESGCM(b"0123456789abcdef0123456789abcdef").encrypt(bytes(range(12)), b"state", b"v1.1.purpose"), the nonce in front.
    EXPECT_EQ(ring.seal("state", "purpose", random), "v1.1.AAECAwQFBgcICQoLXpHaCLwu84NgxCZKbIlvdTSPrJm9");
}

TEST_F(seal, two_seals_of_the_same_state_differ) {
    std::set<std::string> texts;
    for (int i = 0; i < 1'000; ++i) {
        EXPECT_TRUE(texts.insert(ring_.seal("state", "purpose", random_)).second);
    }
}

TEST_F(seal, the_same_source_of_random_bytes_makes_the_same_keys_and_texts) {
    std::set<std::string> texts;
    for (int i = 0; i < 2; ++i) {
        CountingRandom random(9);
        const Key key = fresh_key(1, 0, random);
        texts.insert(ring_of({key}).seal("state", "purpose", random));
    }
    EXPECT_EQ(texts.size(), 1u);
    EXPECT_NE(fresh_key(1, 0, random_).bytes, fresh_key(1, 0, random_).bytes);
}

TEST_F(seal, no_flipped_bit_anywhere_opens) {
    const std::string text = ring_.seal("state", "purpose", random_);
    ASSERT_TRUE(ring_.open(text, "purpose"));
    for (std::size_t at = 0; at < text.size(); ++at) {
        for (unsigned bit = 0; bit < 8; ++bit) {
            std::string flipped = text;
            flipped[at] = static_cast<char>(flipped[at] ^ 1 << bit);
            expect_shut(ring_, flipped, "purpose");
        }
    }
    const std::string bytes = *from_base64url(text.substr(5));
    for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
        std::string flipped = bytes;
        flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ 1 << bit % 8);
        expect_shut(ring_, "v1.7." + to_base64url(flipped), "purpose");
    }
}

TEST_F(seal, nothing_that_is_longer_shorter_or_written_otherwise_opens) {
    const std::string text = ring_.seal("state", "purpose", random_);
    for (std::size_t size = 0; size < text.size(); ++size) {
        expect_shut(ring_, text.substr(0, size), "purpose");
        expect_shut(ring_, text.substr(size + 1), "purpose");
    }
    const std::string body = text.substr(5);
    for (const std::string& other : {text + "A", text + "=", text + "\0"s, text + "-TAMPERED", " " + text, "v1.07." + body, "v1.+7." + body,
                                     "v1.7 ." + body, "v1.." + body, "v1.-7." + body, "v2.7." + body, "V1.7." + body, "v1.7.." + body,
                                     "v1.18446744073709551623." + body, "v1.7" + body}) {
        expect_shut(ring_, other, "purpose");
    }
}

TEST_F(seal, another_purpose_does_not_open) {
    const std::string text = ring_.seal("state", "alice", random_);
    for (const std::string& other : {""s, "alic"s, "alicf"s, "alice\0"s, "Alice"s, std::string(largest_plain_bytes + 1, 'a')}) {
        expect_shut(ring_, text, other);
    }
}

TEST_F(seal, garbage_of_every_length_does_not_open_and_does_no_harm) {
    std::string garbage;
    for (std::size_t size = 0; size < 300; ++size) {
        garbage.resize(size);
        random_.fill(std::as_writable_bytes(std::span(garbage)));
        expect_shut(ring_, garbage, "purpose");
        expect_shut(ring_, "v1.7." + garbage, "purpose");
        expect_shut(ring_, "v1.7." + to_base64url(garbage), "purpose");
        expect_shut(ring_, "v1." + garbage + ".AAAA", "purpose");
    }
    expect_shut(ring_, "v1.7." + std::string(8u << 20, 'A'), "purpose");
}

TEST_F(seal, a_key_of_the_same_number_from_elsewhere_does_not_open) {
    const std::string text = ring_of({fresh_key(7, 1'000, random_)}).seal("state", "purpose", random_);
    expect_shut(ring_, text, "purpose");
}

TEST_F(seal, the_newest_key_seals_and_older_ones_open_until_they_are_dropped) {
    const Key newer = fresh_key(ring_.next_id(), 2'000, random_);
    EXPECT_EQ(newer.id, 8u);
    const std::string old_text = ring_.seal("old", "purpose", random_);
    const KeyRing both = ring_of({newer, key_});
    const std::string new_text = both.seal("new", "purpose", random_);
    EXPECT_EQ(new_text.substr(0, 5), "v1.8.");
    EXPECT_EQ(both.open(old_text, "purpose").value(), "old");
    EXPECT_EQ(both.open(new_text, "purpose").value(), "new");
    const KeyRing later = ring_of({newer});
    expect_shut(later, old_text, "purpose");
    EXPECT_EQ(later.open(new_text, "purpose").value(), "new");
    expect_shut(ring_, new_text, "purpose");
    expect_shut(both, "v1.7." + new_text.substr(5), "purpose");  // it says of which key it is, and that counts
}

TEST_F(seal, a_new_key_is_due_when_the_newest_is_as_old_as_the_period) {
    EXPECT_TRUE(ring_of({}).rotation_due(0, milliseconds(100)));
    EXPECT_TRUE(ring_of({}).empty());
    EXPECT_EQ(ring_of({}).next_id(), 1u);
    const KeyRing ring = ring_of({{2, 5'000, key_.bytes}, {1, 1'000, key_.bytes}});
    EXPECT_FALSE(ring.empty());
    EXPECT_FALSE(ring.rotation_due(5'099, milliseconds(100)));
    EXPECT_TRUE(ring.rotation_due(5'100, milliseconds(100)));
    EXPECT_FALSE(ring.rotation_due(0, milliseconds(100)));  // the clock was set back
}

TEST_F(seal, a_key_is_outlived_when_its_successor_is_older_than_any_state) {
    const KeyRing ring = ring_of({{1, 1'000, key_.bytes}, {4, 2'000, key_.bytes}, {5, 9'000, key_.bytes}});
    using Ids = std::vector<std::uint64_t>;
    EXPECT_EQ(ring.outlived(2'499, milliseconds(500)), Ids{});
    EXPECT_EQ(ring.outlived(2'500, milliseconds(500)), Ids{1});
    EXPECT_EQ(ring.outlived(9'499, milliseconds(500)), Ids{1});  // 4 sealed until 9,000
    EXPECT_EQ(ring.outlived(9'500, milliseconds(500)), (Ids{1, 4}));
    EXPECT_EQ(ring.outlived(1'000'000, milliseconds(500)), (Ids{1, 4}));  // never the last
    EXPECT_EQ(ring_of({}).outlived(0, milliseconds(1)), Ids{});
}

TEST_F(seal, a_ring_refuses_keys_of_another_length_and_two_of_one_number) {
    for (const std::size_t size : {0u, 16u, 31u, 33u}) {
        const auto ring = KeyRing::from({key_, {8, 0, std::string(size, 'k')}});
        ASSERT_FALSE(ring) << size;
        EXPECT_NE(ring.error().sentence.find("key 8"), std::string::npos);
        EXPECT_NE(ring.error().sentence.find(std::to_string(size) + " bytes"), std::string::npos);
    }
    const auto twice = KeyRing::from({key_, fresh_key(8, 0, random_), fresh_key(7, 0, random_)});
    ASSERT_FALSE(twice);
    EXPECT_NE(twice.error().sentence.find("two keys 7"), std::string::npos);
}

}  // namespace
}  // namespace durable_mcp::auth
