/* Which of two routes a search takes with its rows: in fp32 as they come, or first in codes of 8 bits (kernels/search/
 * scan_coded.h). Private to kernels/search/.
 *
 * Both give the same lists. Which one is faster depends on the processor, not on its instruction set alone: without VNNI products
 * of 8 bits take two instructions and a sum, and processors differ in how many of these they start at once, and in how wide their
 * registers really are. So both are timed, once a search, at its own width and number of queries. */
#ifndef VB_SCAN_ROUTE_H
#define VB_SCAN_ROUTE_H

#include "kernels/search/search_internal.h"

/* Whether so many queries of such a width may go by codes at all. */
bool vb_scan_route_may_code(int64_t queries, int64_t width);

/* Sets search->codes_pay: false when they may not, else what is measured in about 0.3 ms. VB_EMEMORY. Called by
 * vb_search_new. */
int vb_scan_route_choose(vb_search *search, vb_error *err);

#endif
