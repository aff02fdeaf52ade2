// The recurrent layers, in fixed point: h and the weights have 16 bits, or 8, and sums are exact.
// The equations are those of models/cells.py, in the same order and with the same names.
#include "gatewise.h"
#include "lanes.h"

#define H_RANGE_16 8191.f  // what h, in [-1, 1], is multiplied by; the weights' scales rely on it
#define H_RANGE_8 127.f
#define MOST_BLOCKS LSTM

// Vectors of units that are computed together where one tile has all texts. The equations of one
// vector wait for each other; those of several do not (a lone text is 1.1 times as fast).
#ifndef PANEL
#define PANEL 4
#endif

// Sums of a column of a text, so that a product need not wait for the one before. Four texts and
// more have sums enough; of fewer, one is 1.15 times as fast by that, and two are 1.14 times.
#if TILE == 8
#define WAYS 2
#else
#define WAYS 1
#endif

typedef struct {
  Floats block[MOST_BLOCKS];
} Columns;  // LANES columns of each block, for one text

// Groups of rows that a lane multiplies at once: 4 bytes of weights each.
INLINE int count_groups(int rows, int precision) { return rows * precision / 4; }

// h U + b for LANES columns of each block, from `column` on, and for `texts` texts. Weights are
// loaded once for all of them. `h` has a row of `stride` bytes for each text.
INLINE void multiply_integers(const Matrix* matrix, int column, int width, const char* h,
                              int stride, const int texts, const int blocks, const int precision,
                              Columns* out) {
  const int groups = count_groups(matrix->rows, precision), ways = texts <= 2 ? WAYS : 1;
  const Sums* weights = (const Sums*)matrix->weights + (size_t)column / LANES * groups * blocks;
  Sums sums[WAYS][TILE][MOST_BLOCKS];
  UNROLL(2)
  for (int way = 0; way < ways; way++) UNROLL(8)
  for (int t = 0; t < texts; t++) UNROLL(4)
  for (int g = 0; g < blocks; g++) {
    sums[way][t][g] = way ? (Sums){0} : *(const Sums*)(matrix->start + g * width + column);
    OWN_REGISTER(sums[way][t][g]);
  }
  for (int k = 0; k < groups; k += ways) UNROLL(2)
  for (int way = 0; way < ways; way++, weights += blocks) {
    Sums w[MOST_BLOCKS];
    UNROLL(4)
    for (int g = 0; g < blocks; g++) {
      w[g] = weights[g];
      if (texts > 1) OWN_REGISTER(w[g]);
    }
    UNROLL(8)
    for (int t = 0; t < texts; t++) {
      int32_t four_bytes;
      memcpy(&four_bytes, h + t * stride + 4 * (k + way), 4);
      const Sums x = four_bytes - (Sums){0};
      UNROLL(4)
      for (int g = 0; g < blocks; g++)
        if (precision == INT16)
          ADD_DOT_16(sums[way][t][g], w[g], x);
        else
          ADD_DOT_8(sums[way][t][g], w[g], x);
    }
  }
  UNROLL(4)
  for (int g = 0; g < blocks; g++) {
    const Floats scale = *(const Floats*)(matrix->scale + g * width + column);
    const Floats bias = *(const Floats*)(matrix->bias + g * width + column);
    UNROLL(8)
    for (int t = 0; t < texts; t++) {
      UNROLL(2)
      for (int way = 1; way < ways; way++) sums[0][t][g] += sums[way][t][g];
      out[t].block[g] = __builtin_convertvector(sums[0][t][g], Floats) * scale + bias;
    }
  }
}

INLINE void multiply_floats(const Matrix* matrix, int column, int width, const char* h, int stride,
                            const int texts, const int blocks, Columns* out) {
  const Floats* weights =
      (const Floats*)matrix->weights + (size_t)column / LANES * matrix->rows * blocks;
  Floats sums[TILE][MOST_BLOCKS];
  UNROLL(8)
  for (int t = 0; t < texts; t++) UNROLL(4)
  for (int g = 0; g < blocks; g++) sums[t][g] = *(const Floats*)(matrix->bias + g * width + column);
  for (int k = 0; k < matrix->rows; k++, weights += blocks) UNROLL(8)
  for (int t = 0; t < texts; t++) {
    const Floats x = spread(((const float*)(h + t * stride))[k]);
    UNROLL(4)
    for (int g = 0; g < blocks; g++) sums[t][g] += weights[g] * x;
  }
  UNROLL(8)
  for (int t = 0; t < texts; t++) UNROLL(4)
  for (int g = 0; g < blocks; g++) out[t].block[g] = sums[t][g];
}

INLINE void multiply(const Matrix* matrix, int column, int width, const void* h, const int texts,
                     const int blocks, const int precision, Columns* out) {
  const int stride = matrix->rows * precision;
  if (precision == FLOAT32)
    multiply_floats(matrix, column, width, h, stride, texts, blocks, out);
  else
    multiply_integers(matrix, column, width, h, stride, texts, blocks, precision, out);
}

// x W + b of a token, from its row of the table
INLINE void look_up(const Layer* layer, int column, int32_t id, const int blocks,
                    const int precision, Columns* out) {
  const int width = layer->width;
  const size_t row = (size_t)id * blocks * width;
  UNROLL(4)
  for (int g = 0; g < blocks; g++) {
    const int place = g * width + column;
    if (precision == FLOAT32) {
      out->block[g] = *(const Floats*)((const float*)layer->table + row + place);
    } else {
      const Halves entries = *(const Halves*)((const int16_t*)layer->table + row + place);
      const Floats scale = *(const Floats*)(layer->table_scale + place);
      out->block[g] =
          __builtin_convertvector(__builtin_convertvector(entries, Sums), Floats) * scale;
    }
  }
}

// ---- the equations: x is x W + b, y is h U, with b' in a GRU

INLINE void step_simple(const Columns* x, const Columns* y, Floats* h) {
  *h = tangent(x->block[0] + y->block[0]);
}

INLINE void step_lstm(const Columns* x, const Columns* y, Floats* h, Floats* c, Floats* gates) {
  const Floats i = logistic(x->block[0] + y->block[0]);
  const Floats f = logistic(x->block[1] + y->block[1]);
  const Floats candidate = tangent(x->block[2] + y->block[2]);
  const Floats o = logistic(x->block[3] + y->block[3]);
  *c = f * *c + i * candidate;
  *h = o * tangent(*c);
  gates[0] = i, gates[1] = f, gates[2] = o;
}

INLINE void step_gru(const Columns* x, const Columns* y, Floats* h, Floats* gates) {
  const Floats z = logistic(x->block[0] + y->block[0]);
  const Floats r = logistic(x->block[1] + y->block[1]);
  *h = z * *h + (1.f - z) * tangent(x->block[2] + r * y->block[2]);
  gates[0] = z, gates[1] = r;
}

// ---- a step of LANES units

INLINE void store_q(void* q, Floats h, const int precision) {
  if (precision == INT16) {
    *(Halves*)q =
        __builtin_convertvector(__builtin_convertvector(rounded(h * H_RANGE_16), Sums), Halves);
  } else if (precision == INT8) {
    const Sums shifted = __builtin_convertvector(rounded(h * H_RANGE_8), Sums) + 128;
    *(Bytes*)q = __builtin_convertvector(shifted, Bytes);
  } else {
    *(Floats*)q = h;
  }
}

// Add the openings of up to LANES units; padded units have none.
INLINE void add_openings(float* sums, const Floats* gates, const int count, int units) {
  for (int g = 0; g < count; g++)
    for (int lane = 0; lane < LANES && lane < units; lane++) sums[g] += gates[g][lane];
}

// Read an id of `texts` texts, from place `first` on, for the vectors of units from `column` on.
INLINE void step_units(const Layer* layer, const LayerState* state, const void* below,
                       const int32_t* const* ids, int first, int column, int vectors, int parity,
                       const int texts, const int blocks, const int precision) {
  const int width = layer->width;
  Columns x[PANEL][TILE], y[PANEL][TILE];
  const char* q = (const char*)state->q[parity] + (size_t)first * width * precision;
  const char* inputs = (const char*)below + (size_t)first * layer->kernel.rows * precision;
  for (int v = 0; v < vectors; v++)
    multiply(&layer->recurrent, column + v * LANES, width, q, texts, blocks, precision, y[v]);
  if (!layer->table)
    for (int v = 0; v < vectors; v++)
      multiply(&layer->kernel, column + v * LANES, width, inputs, texts, blocks, precision, x[v]);
  for (int v = 0; v < vectors; v++) UNROLL(8)
  for (int t = 0; t < texts; t++) {
    const size_t place = (size_t)(first + t) * width + column + v * LANES;
    Floats* h = (Floats*)(state->h + place);
    if (layer->table)
      look_up(layer, column + v * LANES, *ids[first + t], blocks, precision, &x[v][t]);
    if (blocks == SIMPLE) step_simple(&x[v][t], &y[v][t], h);
    Floats gates[MOST_BLOCKS - 1];
    if (blocks == GRU) step_gru(&x[v][t], &y[v][t], h, gates);
    if (blocks == LSTM) step_lstm(&x[v][t], &y[v][t], h, (Floats*)(state->c + place), gates);
    if (state->gates)
      add_openings(state->gates + (first + t) * (blocks - 1), gates, blocks - 1,
                   layer->units - column - v * LANES);
    store_q((char*)state->q[parity ^ 1] + place * precision, *h, precision);
  }
}

INLINE void step_layer(const Layer* layer, const LayerState* state, const void* below,
                       const int32_t* const* ids, int places, int parity, const int blocks,
                       const int precision) {
  const int panel = LANES * (places <= TILE ? PANEL : 1);
  for (int column = 0; column < layer->width; column += panel) {
    const int rest = layer->width - column, vectors = (rest < panel ? rest : panel) / LANES;
    int first = 0;
#define STEP(texts)                                   \
  for (; places - first >= (texts); first += (texts)) \
  step_units(layer, state, below, ids, first, column, vectors, parity, texts, blocks, precision)
#if TILE == 8
    // Sums of more texts than 4 and 4 blocks do not fit the registers. Other numbers of texts would
    // do in other cells and precisions too, but compiling takes longer with each.
    const int wide = blocks < LSTM, every = precision == INT16;
    if (wide) STEP(8);
    if (wide && blocks == GRU && every) {
      STEP(7);
      STEP(6);
      STEP(5);
    }
    STEP(4);
    if (every) STEP(3);
#elif TILE == 3
    STEP(3);
#endif
    STEP(2);
    STEP(1);
#undef STEP
  }
}

#define STEP_WITH(blocks, precision)                                                    \
  static void step_##blocks##_##precision(const Layer* layer, const LayerState* state,  \
                                          const void* below, const int32_t* const* ids, \
                                          int places, int parity) {                     \
    step_layer(layer, state, below, ids, places, parity, blocks, precision);            \
  }
STEP_WITH(SIMPLE, INT16)
STEP_WITH(SIMPLE, INT8)
STEP_WITH(SIMPLE, FLOAT32)
STEP_WITH(GRU, INT16)
STEP_WITH(GRU, INT8)
STEP_WITH(GRU, FLOAT32)
STEP_WITH(LSTM, INT16)
STEP_WITH(LSTM, INT8)
STEP_WITH(LSTM, FLOAT32)

typedef void Step(const Layer*, const LayerState*, const void*, const int32_t* const*, int, int);

static Step* find_step(const Model* model) {
#define STEPS_OF(blocks)                             \
  model->precision == INT16  ? step_##blocks##_INT16 \
  : model->precision == INT8 ? step_##blocks##_INT8  \
                             : step_##blocks##_FLOAT32
  switch (model->cell) {
    case SIMPLE:
      return STEPS_OF(SIMPLE);
    case GRU:
      return STEPS_OF(GRU);
    default:
      return STEPS_OF(LSTM);
  }
}

void step_layers(const Model* model, const LayerState* state, const int32_t* const* ids, int places,
                 int parity) {
  Step* step = find_step(model);
  const void* below = 0;
  for (int l = 0; l < model->layers; l++) {
    step(&model->layer[l], &state[l], below, ids, places, parity);
    below = state[l].q[parity ^ 1];
  }
}

void set_state(const Model* model, const Layer* layer, const LayerState* state, int place,
               int parity) {
  float* h = state->h + (size_t)place * layer->width;
  char* q = (char*)state->q[parity] + (size_t)place * layer->width * model->precision;
  for (int column = 0; column < layer->width; column += LANES) {
    Floats* at = (Floats*)(h + column);
    *at = smaller(larger(*at, spread(-1.f)), spread(1.f));
    store_q(q + (size_t)column * model->precision, *at, model->precision);
  }
}
