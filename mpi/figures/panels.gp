$values << END
@VALUES@END
unset key
@SCALE@
set xrange @RANGES@
set grid ytics lt 1 lc rgb '@LINE@' lw 1
set xtics font ',10'
set ytics font ',10'
set label 1 '@AXIS@' at screen 0.52,0.025 center font ',11' textcolor rgb '@MUTED@'
set multiplot layout @LAYOUT@ margins @MARGINS@ spacing @SPACING@
@PANELS@unset multiplot
