set xlabel 'similarity of image and class' textcolor rgb '@MUTED@'
plot '@FILE@.csv' skip 1 using 1:4 with boxes fs solid 1 lc rgb '@GREY@' title 'to other classes', \
  '' skip 1 using 1:2 with boxes fs transparent solid 0.72 lc rgb '@BLUE@' title 'to its own class'
