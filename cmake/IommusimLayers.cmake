# SPDX-License-Identifier: Apache-2.0
# Who may include whom. Layers only point down. Read by iommusim_library() and by scripts/check-layers.
# One line a folder: name, then the folders it may use (closed under use: what a used folder uses is listed too).
set(IOMMUSIM_LAYERS
    "base:"
    "params: base"
    "stats: base"
    "record: base"
    "spec: base params stats record"
    "translate: spec base params stats record"
    "timing: translate spec base params stats record"
    "embed: timing translate spec base params stats record"
    "tlm: timing translate spec base params stats record"
    "traces: base"
    "device_hw:"
    "devices: device_hw tlm timing translate spec base params stats record traces"
    "platform: device_hw devices tlm timing translate spec base params stats record traces uapi hal hal_systemc domain pagetable iommufd vfio dma drivers selftest iommu_hw"
    "uapi:"
    "hal: uapi"
    "hal_systemc: hal uapi"
    "domain: hal uapi"
    "pagetable: domain hal uapi"
    "iommufd: pagetable domain hal uapi"
    "vfio: iommufd pagetable domain hal uapi"
    "dma: domain hal uapi"
    "drivers: dma domain hal uapi iommu_hw device_hw"
    "selftest: iommufd pagetable drivers dma domain hal uapi iommu_hw device_hw"
    "preload: platform device_hw devices tlm timing translate spec base params stats record traces uapi hal hal_systemc domain pagetable iommufd vfio dma drivers selftest iommu_hw"
    "iommu_hw:")
