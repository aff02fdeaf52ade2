// Texts of ASCII to ids. models/tokenizer.py has the rules, and models/normalization.py the words.
#include <string.h>

#include "gatewise.h"

#define RUN 64   // letters and digits of a word in a row
#define RUNS 9   // such runs, with an apostrophe between two
#define LONGEST (RUN + (RUNS - 1) * (1 + RUN))
#define LONGEST_READ 256  // characters of a word that are read; the rest is one unknown token
#define UNKNOWN 1
#define MOST_PROBES 256  // slots that a token may be behind its own; a hostile vocabulary has more

enum { WHOLE = 0, INSIDE = 1 };  // a token that starts a word, or a piece behind its start

// A vocabulary, and a table with open addressing in which its tokens are found.
typedef struct {
  const char* chars;      // of all tokens, one after the other; those of pieces without their mark
  const int32_t* begin;   // (tokens + 1): where those of each token begin
  const uint8_t* places;  // (tokens): WHOLE or INSIDE
  int32_t* slots;         // (mask + 1): ids, or 0
  int32_t tokens;
  uint32_t mask;  // slots are a power of two, more than there are tokens
  int32_t longest[2];  // characters of the longest token, by place
} Words;

// ---- the table: FNV-1a of the characters, and of the place before them

static uint32_t start_hash(int place) { return 2166136261u + (uint32_t)place; }
static uint32_t add_hash(uint32_t hash, char c) { return (hash ^ (uint8_t)c) * 16777619u; }
static uint32_t slot_of(const Words* words, uint32_t hash) {
  return (hash ^ hash >> 15) & words->mask;
}

static int is_token(const Words* words, int32_t id, int place, const char* chars, int length) {
  const int32_t begin = words->begin[id];
  return words->places[id] == place && words->begin[id + 1] - begin == length &&
         !memcmp(words->chars + begin, chars, length);
}

static int32_t find(const Words* words, int place, const char* chars, int length, uint32_t hash) {
  uint32_t slot = slot_of(words, hash);
  for (int probe = 0; probe < MOST_PROBES; probe++, slot = (slot + 1) & words->mask) {
    const int32_t id = words->slots[slot];
    if (!id || is_token(words, id, place, chars, length)) return id;
  }
  return 0;
}

// Fill the empty table; return whether all tokens can be found in it.
EXPORTED int gatewise_index(Words* words) {
  for (int32_t id = UNKNOWN + 1; id < words->tokens; id++) {
    const int place = words->places[id], length = words->begin[id + 1] - words->begin[id];
    uint32_t hash = start_hash(place);
    for (int i = 0; i < length; i++) hash = add_hash(hash, words->chars[words->begin[id] + i]);
    uint32_t slot = slot_of(words, hash);
    int probe = 0;
    for (; probe < MOST_PROBES && words->slots[slot]; probe++) slot = (slot + 1) & words->mask;
    if (probe == MOST_PROBES) return 0;
    words->slots[slot] = id;
    if (words->longest[place] < length) words->longest[place] = length;
  }
  return 1;
}

// ---- words

static int is_space(char c) { return c == ' ' || (c >= 9 && c <= 13) || (c >= 28 && c <= 31); }
static int is_alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

// The end of letters and digits, RUN at most.
static int64_t run_end(const char* text, int64_t at, int64_t length) {
  const int64_t most = length - at < RUN ? length : at + RUN;
  while (at < most && is_alphanumeric(text[at])) at++;
  return at;
}

// The end of the word that starts at a character that is no space.
static int64_t word_end(const char* text, int64_t at, int64_t length) {
  int64_t end = run_end(text, at, length);
  if (end == at) return at + 1;
  for (int run = 1; run < RUNS && end < length && text[end] == '\''; run++) {
    const int64_t next = run_end(text, end + 1, length);
    if (next == end + 1) break;
    end = next;
  }
  return end;
}

// The longest piece from `start` on, or one unknown character; sets where it ends.
static int32_t longest_piece(const Words* words, const char* word, int start, int length,
                             int* end) {
  const int place = start ? INSIDE : WHOLE;
  uint32_t hashes[LONGEST_READ + 1];
  int most = start + words->longest[place];
  if (most > length) most = length;
  uint32_t hash = start_hash(place);
  for (int i = start; i < most; i++) hashes[i + 1] = hash = add_hash(hash, word[i]);
  for (*end = most; *end > start; --*end) {
    const int32_t id = find(words, place, word + start, *end - start, hashes[*end]);
    if (id) return id;
  }
  *end = start + 1;
  return UNKNOWN;
}

// Write the ids of a word in small letters; return how many.
static int encode_word(const Words* words, const char* word, int length, int32_t* ids) {
  uint32_t hash = start_hash(WHOLE);
  for (int i = 0; i < length; i++) hash = add_hash(hash, word[i]);
  const int32_t whole = find(words, WHOLE, word, length, hash);
  if (whole) {
    ids[0] = whole;
    return 1;
  }
  const int read = length < LONGEST_READ ? length : LONGEST_READ;
  int count = 0;
  for (int start = 0, end; start < read; start = end) {
    const int32_t id = longest_piece(words, word, start, read, &end);
    // Adjacent unknown characters are one unknown token.
    if (id != UNKNOWN || !count || ids[count - 1] != UNKNOWN) ids[count++] = id;
  }
  if (read < length) ids[count++] = UNKNOWN;
  return count;
}

// Write the ids of a text of ASCII, as many as its characters at most; return how many.
EXPORTED int64_t gatewise_encode(const Words* words, const char* text, int64_t length,
                                 int32_t* ids) {
  int64_t count = 0, end;
  for (int64_t at = 0; at < length; at = end) {
    end = at + 1;
    if (is_space(text[at])) continue;
    end = word_end(text, at, length);
    char word[LONGEST];
    for (int64_t i = at; i < end; i++)
      word[i - at] = text[i] >= 'A' && text[i] <= 'Z' ? text[i] + 32 : text[i];
    count += encode_word(words, word, (int)(end - at), ids + count);
  }
  return count;
}
