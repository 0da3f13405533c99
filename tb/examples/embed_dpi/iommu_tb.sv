// SPDX-License-Identifier: Apache-2.0
// The IOMMU in a SystemVerilog testbench: memory is an associative array of this module, the model advances with the
// clock, its answers and its interrupt wires arrive as calls of exported functions.
module iommu_tb;
  import "DPI-C" context function chandle iommu_create(input string yaml);
  import "DPI-C" context function void iommu_destroy(input chandle iommu);
  import "DPI-C" context function int iommu_write(input chandle iommu, input int offset, input int bytes,
                                                  input longint value);
  import "DPI-C" context function int iommu_submit(input chandle iommu, input int cookie, input int device,
                                                   input longint iova, input int write);
  import "DPI-C" context function int iommu_advance(input chandle iommu, input longint cycle);

  export "DPI-C" function memory_read;
  export "DPI-C" function memory_write;
  export "DPI-C" function iommu_interrupt;
  export "DPI-C" function iommu_finished;

  longint memory[longint];
  logic [15:0] wires = 0;
  int answers = 0;

  function automatic longint memory_read(input longint address);
    return memory.exists(address) != 0 ? memory[address] : 0;
  endfunction
  function automatic void memory_write(input longint address, input longint value);
    memory[address] = value;
  endfunction
  function automatic void iommu_interrupt(input int number, input int level);
    wires[number[3:0]] = level[0];
  endfunction
  function automatic void iommu_finished(input int cookie, input longint address, input int cause, input int cycles);
    answers++;
    $display("request %0d: address 0x%0h, cause %0d, %0d cycles", cookie, address, cause, cycles);
  endfunction

  // Where things lie in memory, as in embed_hello.c.
  localparam longint Directory = 64'h8000_1000, Commands = 64'h8000_2000, Faults = 64'h8000_3000, Page = 64'h8001_0000;
  localparam longint Table2 = 64'h8000_6000, Table1 = 64'h8000_5000, Table0 = 64'h8000_4000;

  bit clock = 0;
  always #5 clock = ~clock;

  chandle iommu;
  longint cycle = 0;
  always @(posedge clock) begin
    cycle++;
    if (iommu != null && iommu_advance(iommu, cycle) != 0) $fatal(1, "advance");
  end

  task automatic set_register(input int offset, input int bytes, input longint value);
    if (iommu_write(iommu, offset, bytes, value) != 0) $fatal(1, "register %0d", offset);
    repeat (40) @(negedge clock);  // longer than any register stays busy
  endtask

  task automatic request(input int cookie, input longint iova, input int write);
    int already;
    already = answers;
    if (iommu_submit(iommu, cookie, 5, iova, write) != 0) $fatal(1, "submit");
    while (answers == already) @(negedge clock);
  endtask

  initial begin
    memory[Directory + 5 * 32] = 1;
    memory[Directory + 5 * 32 + 24] = (64'h8 << 60) | (Table2 >> 12);
    memory[Table2] = (Table1 >> 2) | 1;
    memory[Table1] = (Table0 >> 2) | 1;
    memory[Table0 + 8] = (Page >> 2) | 64'h53;
    iommu = iommu_create("{mode: cycle, memory: {cycles: 20}}");
    if (iommu == null) $fatal(1, "no IOMMU");
    set_register(8, 4, 2);
    set_register(24, 8, (Commands >> 2) | 6);
    set_register(40, 8, (Faults >> 2) | 6);
    set_register(72, 4, 1);
    set_register(76, 4, 3);
    set_register(16, 8, (Directory >> 2) | 2);
    request(1, 64'h1008, 0);
    request(2, 64'h1010, 0);
    request(3, 64'h1008, 1);
    repeat (40) @(negedge clock);
    $display("wires 0x%0h, fault record: cause %0d, device %0d", wires, memory[Faults] & 64'hfff, memory[Faults] >> 40);
    iommu_destroy(iommu);
    $finish;
  end
endmodule
