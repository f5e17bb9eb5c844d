set xlabel 'margin: similarity to the own class less that to the nearest other one' textcolor rgb '@MUTED@'
plot '@FILE@.csv' skip 1 using ($1 > 0 ? $1 : NaN):2 with boxes lc rgb '@BLUE@' title 'right among all classes', \
  '' skip 1 using ($1 < 0 ? $1 : NaN):2 with boxes lc rgb '@ORANGE@' title 'wrong'
