# What all tests are run with: sourced by tests/run.sh and tests/lib.sh.
# shellcheck shell=bash
# Two cores for many tests, each of some ranks: who waits leaves its core to others. tests/mpi/test_waiting.sh has the defaults.
export OMP_WAIT_POLICY=passive OMPI_MCA_mpi_yield_when_idle=1 VOCABENCH_WAIT=${VOCABENCH_WAIT-sleep}
export OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_hwloc_base_binding_policy=none OMPI_MCA_btl_base_warn_component_unused=0
# The transport that Open MPI chooses here in the end, without loading the others first: an eighth of a start.
export OMPI_MCA_pml=${OMPI_MCA_pml-ob1}
# hwloc finds processors without its plugins, of which that for PCI asks every device of the machine, by each rank.
export HWLOC_PLUGINS_PATH=${HWLOC_PLUGINS_PATH-/nonexistent}
export HWLOC_COMPONENTS=${HWLOC_COMPONENTS:--opencl} # an OpenCL driver may take mpirun's signals: docs/cluster.md
[ "$(id -u)" != 0 ] || export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
