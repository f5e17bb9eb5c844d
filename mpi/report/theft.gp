unset key
set xrange [-0.5:@EDGE@]
set yrange [@EDGE@:-0.5]
set lmargin @MARGIN@
set rmargin 2
set tmargin 1
set bmargin at screen @BOTTOM@
set xtics rotate by 90 right (@NAMES@)@FONT@
set ytics (@NAMES@)@FONT@
plot '@FILE@.csv' skip 1 using 2:1:(0.48):(0.46):5 with boxxyerror lc rgb variable@MORE@
  '' skip 1 using 2:1:($3 > 0 ? sprintf($4 < 0.95 ? '%.1f' : '%.0f', $4) : ''):6 with labels textcolor rgb variable font ',10'@NUMBERED@
