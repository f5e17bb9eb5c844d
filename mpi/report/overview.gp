$values << END
@VALUES@END
unset key
set yrange [@BOTTOM@:-0.7]
set grid xtics lt 1 lc rgb '@LINE@' lw 1
set xtics font ',10' format '%.0f'
set label 1 'percent: Acc-E with its 95 % interval (by classes); ring: Acc-C' at screen 0.5,@FOOT@ center font ',11' textcolor rgb '@MUTED@'
set multiplot layout 1,@COLUMNS@ margins @MARGINS@ spacing 0.03,0
@PANELS@unset multiplot
