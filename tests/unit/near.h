/* Numbers that agree to within a tolerance. */
#ifndef VB_TEST_NEAR_H
#define VB_TEST_NEAR_H

#include <math.h>

#include "tests/unit/vb_test.h"

#define assert_near(a, b, tolerance)                                                                                             \
    do {                                                                                                                         \
        double found_ = (a), wanted_ = (b);                                                                                      \
        if (!(fabs(found_ - wanted_) <= (tolerance))) fail_msg("%s is %.17g, expected %.17g", #a, found_, wanted_);              \
    } while (0)

/* The same where none, NaN, may be wanted. */
#define assert_near_or_none(a, b, tolerance)                                                                                     \
    do {                                                                                                                         \
        const double may_be_none_ = (b);                                                                                         \
        if (isnan(may_be_none_)) assert_true(isnan(a));                                                                          \
        else assert_near(a, may_be_none_, tolerance);                                                                            \
    } while (0)

#endif
