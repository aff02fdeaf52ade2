// Texts of unlike length, read together without padding: where one ends, the next takes its place.
#include <stdlib.h>
#include <string.h>

#include "gatewise.h"
#include "lanes.h"

#define PLACES (TILE == 3 ? 9 : 8)  // texts that are read together
#define ALIGNMENT 64

enum { DONE = 0, NO_MEMORY = 1, BAD_ID = 2 };

// What is to be read. The state of a text is its tensors one after the other, in the order of the
// metadata: h, and c in an LSTM, of each layer, maximum, mean, count, n-grams and recent ids.
typedef struct {
  int32_t count;
  const int32_t* ids;
  const int64_t* begin;       // (count + 1): ids of text i are from begin[i] to begin[i + 1]
  const float* before;        // (count, state), or null at the start of texts
  float* after;               // (count, state), or null
  const int64_t* looks;       // tokens read, rising, after which probabilities are wanted
  const int64_t* look_begin;  // (count + 1): those of text i
  float* probabilities;       // (looks, labels)
  float* gates;  // (ids, layers, cell - 1): mean opening of each gate over units, or null
} Texts;

// The text in a place.
typedef struct {
  int64_t text, read, length, look;
  const int32_t* ids;
  float count;
  int32_t recent[REMEMBERED + 1];  // ids before the next one, and that one
} Place;

typedef struct {
  const Model* model;
  const Texts* texts;
  int width;  // of the last layer
  int parity, occupied;
  int64_t next;  // text that comes next
  Place place[PLACES];
  float *maximum, *mean, *ngrams;
  LayerState layer[];
} Work;

EXPORTED int gatewise_lanes(void) { return LANES; }

// ---- memory, in one piece for each call

static size_t padded(size_t bytes) { return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT; }

static void* take(char** free_bytes, size_t bytes) {
  void* taken = *free_bytes;
  *free_bytes += padded(bytes);
  return taken;
}

// Lay out the arrays of `work` from `start` on; return the bytes that they take.
static size_t lay_out(Work* work, const Model* model, int with_gates, char* start) {
  char* at = start + padded(sizeof(Work) + model->layers * sizeof(LayerState));
  for (int l = 0; l < model->layers; l++) {
    const size_t numbers = (size_t)PLACES * model->layer[l].width;
    LayerState state = {
        {take(&at, numbers * model->precision), take(&at, numbers * model->precision)},
        take(&at, numbers * 4),
        take(&at, numbers * 4),
        with_gates ? take(&at, PLACES * (size_t)(model->cell - 1) * 4) : 0};
    if (work) work->layer[l] = state;
  }
  const size_t numbers = (size_t)PLACES * model->layer[model->layers - 1].width;
  float *maximum = take(&at, numbers * 4), *mean = take(&at, numbers * 4);
  float* ngrams = take(&at, (size_t)PLACES * model->columns * 4);
  if (work) work->maximum = maximum, work->mean = mean, work->ngrams = ngrams;
  return at - start;
}

static Work* begin_work(const Model* model, const Texts* texts) {
  // The pointers are only counted here, from an address that is as good as any.
  const size_t bytes = lay_out(0, model, texts->gates != 0, (char*)ALIGNMENT);
  Work* work = aligned_alloc(ALIGNMENT, bytes);
  if (!work) return 0;
  memset(work, 0, bytes);
  work->model = model;
  work->texts = texts;
  work->width = model->layer[model->layers - 1].width;
  lay_out(work, model, texts->gates != 0, (char*)work);
  return work;
}

// ---- the state of a text

static size_t state_size(const Model* model) {
  size_t numbers = 0;
  for (int l = 0; l < model->layers; l++)
    numbers += (size_t)model->layer[l].units * (model->cell == LSTM ? 2 : 1);
  numbers += 2 * (size_t)model->layer[model->layers - 1].units + 1;
  return numbers + (model->ngrams ? model->columns + REMEMBERED : 0);
}

typedef void Visit(float* work, float* state, int numbers);

static void load(float* work, float* state, int numbers) {
  memcpy(work, state, 4 * (size_t)numbers);
}
static void store(float* work, float* state, int numbers) {
  memcpy(state, work, 4 * (size_t)numbers);
}

// Visit the tensors of a place in the order of the metadata; return where the recent ids are.
static float* visit_state(Work* work, int p, float* state, Visit* visit) {
  const Model* model = work->model;
  const Layer* last = &model->layer[model->layers - 1];
  for (int l = 0; l < model->layers; l++) {
    const Layer* layer = &model->layer[l];
    visit(work->layer[l].h + (size_t)p * layer->width, state, layer->units);
    state += layer->units;
    if (model->cell != LSTM) continue;
    visit(work->layer[l].c + (size_t)p * layer->width, state, layer->units);
    state += layer->units;
  }
  visit(work->maximum + (size_t)p * work->width, state, last->units);
  visit(work->mean + (size_t)p * work->width, state + last->units, last->units);
  state += 2 * last->units;
  visit(&work->place[p].count, state++, 1);
  if (model->ngrams) visit(work->ngrams + (size_t)p * model->columns, state, model->columns);
  return state + model->columns;
}

static void clear_rows(Work* work, int p) {
  for (int l = 0; l < work->model->layers; l++) {
    const size_t width = work->model->layer[l].width;
    memset(work->layer[l].h + p * width, 0, 4 * width);
    memset(work->layer[l].c + p * width, 0, 4 * width);
  }
  memset(work->maximum + (size_t)p * work->width, 0, 4 * (size_t)work->width);
  memset(work->mean + (size_t)p * work->width, 0, 4 * (size_t)work->width);
  memset(work->ngrams + (size_t)p * work->model->columns, 0, 4 * (size_t)work->model->columns);
}

static void load_state(Work* work, int p, const float* before) {
  const Model* model = work->model;
  Place* place = &work->place[p];
  clear_rows(work, p);
  if (before) {
    const float* recent = visit_state(work, p, (float*)before, load);
    for (int i = 0; model->ngrams && i < REMEMBERED; i++) {  // whatever a client sends
      const float id = recent[i];
      place->recent[i] = id >= 0.f && id < (float)model->vocabulary ? (int32_t)id : 0;
    }
  }
  for (int l = 0; l < model->layers; l++)
    set_state(model, &model->layer[l], &work->layer[l], p, work->parity);
}

static void store_state(Work* work, int p, float* after) {
  float* recent = visit_state(work, p, after, store);
  for (int i = 0; work->model->ngrams && i < REMEMBERED; i++)
    recent[i] = (float)work->place[p].recent[i];
}

// Move what is in one place to another.
static void move(Work* work, int from, int to) {
  const Model* model = work->model;
#define MOVE(array, row) memcpy((char*)(array) + to * (row), (char*)(array) + from * (row), row)
  for (int l = 0; l < model->layers; l++) {
    const size_t width = model->layer[l].width;
    MOVE(work->layer[l].q[work->parity], width * model->precision);
    MOVE(work->layer[l].h, 4 * width);
    MOVE(work->layer[l].c, 4 * width);
  }
  MOVE(work->maximum, 4 * (size_t)work->width);
  MOVE(work->mean, 4 * (size_t)work->width);
  MOVE(work->ngrams, 4 * (size_t)model->columns);
#undef MOVE
  work->place[to] = work->place[from];
}

// ---- reading

// Write the probabilities that are wanted at this point of a text.
static void look(Work* work, int p) {
  const Texts* texts = work->texts;
  Place* place = &work->place[p];
  const Layer* last = &work->model->layer[work->model->layers - 1];
  const float* h = work->layer[work->model->layers - 1].h + (size_t)p * last->width;
  for (;
       place->look < texts->look_begin[place->text + 1] && texts->looks[place->look] == place->read;
       place->look++)
    decide(work->model, work->maximum + (size_t)p * work->width,
           work->mean + (size_t)p * work->width, h, work->ngrams + (size_t)p * work->model->columns,
           place->count, texts->probabilities + (size_t)place->look * work->model->labels);
}

// Give a place to the next text that has an id to read; return whether there is one.
static int occupy(Work* work, int p) {
  const Texts* texts = work->texts;
  const size_t numbers = state_size(work->model);
  while (work->next < texts->count) {
    const int64_t text = work->next++;
    work->place[p] = (Place){.text = text,
                             .length = texts->begin[text + 1] - texts->begin[text],
                             .look = texts->look_begin[text],
                             .ids = texts->ids + texts->begin[text]};
    load_state(work, p, texts->before ? texts->before + text * numbers : 0);
    look(work, p);
    if (work->place[p].length) return 1;
    if (texts->after) store_state(work, p, texts->after + text * numbers);
  }
  return 0;
}

static void vacate(Work* work, int p) {
  const Texts* texts = work->texts;
  if (texts->after)
    store_state(work, p, texts->after + work->place[p].text * state_size(work->model));
  if (occupy(work, p)) return;
  if (--work->occupied != p) move(work, work->occupied, p);
}

static void prefetch_rows(const Work* work) {
  const Layer* first = &work->model->layer[0];
  const size_t numbers = (size_t)work->model->cell * first->width;
  const size_t bytes = numbers * (work->model->precision == FLOAT32 ? 4 : 2);
  for (int p = 0; p < work->occupied; p++) {
    const Place* place = &work->place[p];
    if (place->read + 1 >= place->length) continue;
    const char* row = (const char*)first->table + place->ids[place->read + 1] * bytes;
    for (size_t i = 0; i < bytes; i += 64) __builtin_prefetch(row + i);
  }
}

// Write the mean openings at a token, and begin the next sums.
static void write_gates(Work* work, int p) {
  const Model* model = work->model;
  const Texts* texts = work->texts;
  const Place* place = &work->place[p];
  const int count = model->cell - 1;
  const size_t token = texts->begin[place->text] + place->read;
  float* means = texts->gates + token * model->layers * count;
  for (int l = 0; l < model->layers; l++)
    for (int g = 0; g < count; g++) {
      float* sum = work->layer[l].gates + p * count + g;
      *means++ = *sum / (float)model->layer[l].units;
      *sum = 0.f;
    }
}

// What follows from the new state of a place, beside the state.
static void finish_token(Work* work, int p) {
  const Model* model = work->model;
  Place* place = &work->place[p];
  const float* h = work->layer[model->layers - 1].h + (size_t)p * work->width;
  place->count += 1.f;
  pool_state(h, work->maximum + (size_t)p * work->width, work->mean + (size_t)p * work->width,
             place->count, work->width);
  if (model->ngrams) {
    place->recent[REMEMBERED] = place->ids[place->read];
    add_ngrams(model, place->recent + REMEMBERED, work->ngrams + (size_t)p * model->columns,
               place->count);
    memmove(place->recent, place->recent + 1, REMEMBERED * sizeof *place->recent);
  }
  if (work->texts->gates) write_gates(work, p);
  place->read++;
  look(work, p);
}

static int ids_are_good(const Model* model, const Texts* texts) {
  int good = 1;
  for (int64_t i = texts->begin[0]; i < texts->begin[texts->count]; i++)
    good &= (uint32_t)texts->ids[i] - 1 < (uint32_t)model->vocabulary - 1;  // 0 is padding
  return good;
}

// Read texts, and write their probabilities and states. Several threads may call it.
EXPORTED int gatewise_read(const Model* model, const Texts* texts) {
  if (!ids_are_good(model, texts)) return BAD_ID;
  Work* work = begin_work(model, texts);
  if (!work) return NO_MEMORY;
  while (work->occupied < PLACES && occupy(work, work->occupied)) work->occupied++;
  while (work->occupied) {
    const int32_t* ids[PLACES];
    for (int p = 0; p < work->occupied; p++) ids[p] = work->place[p].ids + work->place[p].read;
    prefetch_rows(work);
    step_layers(model, work->layer, ids, work->occupied, work->parity);
    work->parity ^= 1;
    for (int p = work->occupied - 1; p >= 0; p--) {  // backwards: what is moved here is done
      finish_token(work, p);
      if (work->place[p].read == work->place[p].length) vacate(work, p);
    }
  }
  free(work);
  return DONE;
}
