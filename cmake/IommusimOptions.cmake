# SPDX-License-Identifier: Apache-2.0
# Parts of the software stack that a build can leave out, as a kernel's configuration can. What is left out is still
# recognised and says so: ENODEV at the opening of its node, ENOTTY for its calls. The choices reach the code as the
# constants of uapi/build_options.h, which is generated here.
option(IOMMUSIM_IOMMUFD "The /dev/iommu interface (without it: ENODEV at open)" ON)
option(IOMMUSIM_VFIO_CONTAINER "The type1 container on iommufd: /dev/vfio/vfio and its calls (without: ENODEV, ENOTTY)" ON)
option(IOMMUSIM_IOMMUFD_TEST "The mock IOMMU behind the test command 0x3BA0 (without: ENOTTY)" ON)
option(IOMMUSIM_DRIVER_RISCV "The driver of the RISC-V IOMMU (without: no device can be bound in exec, ENODEV)" ON)

set(IOMMUSIM_OPTIONS_DIR "${CMAKE_BINARY_DIR}/include/build_options")
foreach(name IOMMUFD VFIO_CONTAINER IOMMUFD_TEST DRIVER_RISCV)
  if(IOMMUSIM_${name})
    set(IOMMUSIM_HAS_${name} true)
  else()
    set(IOMMUSIM_HAS_${name} false)
  endif()
endforeach()
configure_file("${CMAKE_CURRENT_LIST_DIR}/build_options.h.in" "${IOMMUSIM_OPTIONS_DIR}/uapi/build_options.h" @ONLY)
